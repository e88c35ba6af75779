package fernet

// labelSubkey is frozen like the labels of derive.go.
const labelSubkey = "fernetcol/v1/subkey"

// SubkeySize is the length of a subkey in bytes.
const SubkeySize = 32

// Subkey returns [SubkeySize] secret bytes that are derived from the key for
// context, by HKDF-SHA256 (docs/format.md): what a package that needs a key of
// another kind, such as that of an HMAC, makes of a Key. They tell nothing of the
// key or of another context's subkey. Each element counts for itself, so ("ab",
// "c") and ("a", "bc") differ. Name the purpose first. The caller owns the slice.
// The zero Key has no subkeys: Subkey panics.
func (k Key) Subkey(context ...string) []byte {
	if k.IsZero() {
		panic("fernet: Subkey of the zero Key")
	}
	return k.derive(SubkeySize, labelSubkey, context...)
}
