package cli

// What the tests of this package look at from the outside.
var (
	SecretRemedy = secretRemedy
	SplitName    = splitName
)

// ShapeOf returns the parts of a shape that a test can compute too.
func ShapeOf(token []byte) (raw bool, least, most int, err error) {
	s, err := shapeOf(token)
	if err != nil {
		return false, 0, 0, err
	}
	least, most = s.plaintextRange()
	return s.raw, least, most, nil
}
