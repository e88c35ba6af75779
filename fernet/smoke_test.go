package fernet_test

import (
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
)

func TestPythonToken2015(t *testing.T) {
	k, err := fernet.ParseKey("BP04_l7C3wByNiEaEiseNiP0ZrqZ7s3qL-mkG8eHlJY=")
	if err != nil {
		t.Fatal(err)
	}
	kr, err := fernet.NewKeyring(k)
	if err != nil {
		t.Fatal(err)
	}
	const token = "gAAAAABVLTmsBrJWKMzjn4pDlRwtk1j3TFcF1lrRlXo8_ASbR42vEiAcagNKR3cqp6ypSdPPyMozGi2T10pxqKISxwVYqMqoEIaScr310glx55vUk_l6eLc="
	p, err := kr.DecryptString(token)
	if err != nil || p != "Snape kills Dumbledore." {
		t.Fatal(p, err)
	}
	ts, _ := kr.ExtractTimestamp([]byte(token))
	t.Log(ts, kr, k, kr.PrimaryID())
	r, err := kr.Rotate(kr.EncryptDeterministic([]byte("x")))
	if err != nil || string(r) != string(kr.EncryptDeterministic([]byte("x"))) {
		t.Fatal(err)
	}
}
