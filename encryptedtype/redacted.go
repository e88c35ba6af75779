package encryptedtype

import (
	"encoding/json"
	"fmt"
	"io"
)

// Redacted is what stands for a value of this package's types in everything
// that fmt and slog print.
const Redacted = "[encrypted]"

// What GormDataType returns, in GORM's own words (schema.DataType).
const (
	gormText  = "text"
	gormBytes = "bytes"
)

func redact(f fmt.State) { io.WriteString(f, Redacted) }

// refuseMarker fails if data is the JSON string Redacted.
func refuseMarker(typ string, data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil && s == Redacted {
		return fmt.Errorf("encryptedtype: %s: %q is the marker that stands for a value in logs, not a value; send the value, or leave the field out", typ, Redacted)
	}
	return nil
}

// unmarshalString reads a JSON string. JSON null leaves old, as is the
// convention. The errors of package json are not passed on: they quote their
// input.
func unmarshalString(typ string, data []byte, old string) (string, error) {
	if err := refuseMarker(typ, data); err != nil {
		return "", err
	}
	s := old
	if json.Unmarshal(data, &s) != nil {
		return "", fmt.Errorf("encryptedtype: %s: the JSON value is not a string", typ)
	}
	return s, nil
}
