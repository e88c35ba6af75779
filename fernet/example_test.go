package fernet_test

import (
	"bytes"
	"fmt"
	"log"
	"time"

	"github.com/fernetcol/fernetcol/fernet"
)

// Keys of your own come from GenerateKey, and do not stand in the source.
const (
	newFakeKey = "fake-key-for-the-examples--do-not-use-it-00="
	oldFakeKey = "old-fake-key-for-the-examples--not-for-use0="
)

func parseKey(s string) fernet.Key {
	k, err := fernet.ParseKey(s)
	if err != nil {
		log.Fatal(err)
	}
	return k
}

func Example() {
	key, err := fernet.ParseKey(newFakeKey)
	if err != nil {
		log.Fatal(err)
	}
	kr, err := fernet.NewKeyring(key)
	if err != nil {
		log.Fatal(err)
	}

	token := kr.EncryptString("attack at dawn")
	fmt.Println(token[:6], len(token))

	plaintext, err := kr.DecryptString(token)
	fmt.Println(plaintext, err)

	_, err = kr.DecryptString(token[1:])
	fmt.Println(err)
	// Output:
	// gAAAAA 100
	// attack at dawn <nil>
	// fernet: invalid token
}

func ExampleKey() {
	key := parseKey(newFakeKey)
	fmt.Println(key)
	fmt.Printf("%#v %x\n", key, key)
	// Output:
	// fernet.Key(REDACTED, ID b03ef4d27aa69bdc)
	// fernet.Key(REDACTED, ID b03ef4d27aa69bdc) fernet.Key(REDACTED, ID b03ef4d27aa69bdc)
}

// To change the key, make the new one primary and keep the old one as retired
// until no token needs it.
func ExampleKeyring_Rotate() {
	old, err := fernet.NewKeyring(parseKey(oldFakeKey))
	if err != nil {
		log.Fatal(err)
	}
	token := old.Encrypt([]byte("attack at dawn"))

	kr, err := fernet.NewKeyring(parseKey(newFakeKey), parseKey(oldFakeKey))
	if err != nil {
		log.Fatal(err)
	}
	rotated, err := kr.Rotate(token)
	if err != nil {
		log.Fatal(err)
	}

	id, err := kr.KeyID(rotated)
	fmt.Println(id == kr.PrimaryID(), err)
	plaintext, err := kr.Decrypt(rotated)
	fmt.Printf("%s %v\n", plaintext, err)
	_, err = old.Decrypt(rotated)
	fmt.Println(err)
	// Output:
	// true <nil>
	// attack at dawn <nil>
	// fernet: invalid token
}

func ExampleKeyring_DecryptAtTime() {
	kr, err := fernet.NewKeyring(parseKey(newFakeKey))
	if err != nil {
		log.Fatal(err)
	}
	made := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	token := kr.EncryptAtTime([]byte("reset password of user 7"), made)

	_, err = kr.DecryptAtTime(token, time.Hour, made.Add(time.Hour))
	fmt.Println("after an hour:", err)
	_, err = kr.DecryptAtTime(token, time.Hour, made.Add(time.Hour+time.Second))
	fmt.Println("a second later:", err)

	at, err := kr.ExtractTimestamp(token)
	fmt.Println("made:", at, err)
	// Output:
	// after an hour: <nil>
	// a second later: fernet: invalid token
	// made: 2026-01-02 15:04:05 +0000 UTC <nil>
}

// A ring for each column keeps the tokens of one column out of the others.
func ExampleKeyring_Derive() {
	kr, err := fernet.NewKeyring(parseKey(newFakeKey))
	if err != nil {
		log.Fatal(err)
	}
	email, phone := kr.Derive("users", "email"), kr.Derive("users", "phone")

	token := email.EncryptString("alice@example.com")
	plaintext, err := email.DecryptString(token)
	fmt.Println(plaintext, err)
	_, err = phone.DecryptString(token)
	fmt.Println(err)
	// Output:
	// alice@example.com <nil>
	// fernet: invalid token
}

func ExampleKeyring_EncryptDeterministic() {
	kr, err := fernet.NewKeyring(parseKey(newFakeKey), parseKey(oldFakeKey))
	if err != nil {
		log.Fatal(err)
	}
	stored := kr.EncryptDeterministic([]byte("alice@example.com"))

	// What to look for: WHERE email IN (…), with a token for each key.
	for _, token := range kr.DeterministicTokens([]byte("alice@example.com")) {
		fmt.Println(bytes.Equal(token, stored))
	}
	// Output:
	// true
	// false
}

func ExampleKeyring_EncryptRaw() {
	kr, err := fernet.NewKeyring(parseKey(newFakeKey))
	if err != nil {
		log.Fatal(err)
	}
	text, raw := kr.Encrypt([]byte("attack at dawn")), kr.EncryptRaw([]byte("attack at dawn"))
	fmt.Println(len(text), len(raw))

	plaintext, err := kr.Decrypt(raw)
	fmt.Printf("%s %v\n", plaintext, err)
	// Output:
	// 100 73
	// attack at dawn <nil>
}
