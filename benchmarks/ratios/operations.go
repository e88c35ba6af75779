package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	fernetgo "github.com/fernet/fernet-go"

	"github.com/fernetcol/fernetcol/benchmarks"
	"github.com/fernetcol/fernetcol/benchmarks/internal/measure"
	"github.com/fernetcol/fernetcol/fernet"
)

// The names of operations, as the tables and the groups use them.
const (
	opAppend   = "append"
	opFresh    = "fresh"
	opString   = "string"
	opFloor    = "floor"
	opFernetGo = "fernet-go"
	opTink     = "tink"

	opClock  = "time.Now"
	opRandom = "rand.Read"
	opMAC    = "HMAC-SHA256"
	opCBC    = "AES-CBC"
	opBase64 = "base64"

	opOne     = "one"
	opTwo     = "two"
	opOneBare = "one, floor"
	opTwoBare = "two, floor"
	opTenKeys = "ten keys"
)

func encryptGroup(f *benchmarks.Field, size int) measure.Group {
	plaintext := benchmarks.Plaintext(size)
	text := string(plaintext)
	room := make([]byte, 0, fernet.TokenLen(size))
	return measure.Group{
		{Name: opAppend, Run: repeat(func() { f.Keyring.AppendEncrypt(room, plaintext) })},
		{Name: opFresh, Run: repeat(func() { f.Keyring.Encrypt(plaintext) })},
		{Name: opString, Run: repeat(func() { f.Keyring.EncryptString(text) })},
		{Name: opFloor, Run: repeat(func() { f.Floor.AppendEncrypt(room, plaintext) })},
		{Name: opFernetGo, Run: repeat(func() { fernetgo.EncryptAndSign(plaintext, f.FernetGo[0]) })},
		{Name: opTink, Run: repeat(func() { f.Tink.Encrypt(plaintext, nil) })},
	}
}

func decryptGroup(f *benchmarks.Field, size int) (measure.Group, error) {
	token := f.Keyring.Encrypt(benchmarks.Plaintext(size))
	text := string(token)
	ciphertext, err := f.Tink.Encrypt(benchmarks.Plaintext(size), nil)
	if err != nil {
		return nil, err
	}
	room := make([]byte, 0, len(token))
	return measure.Group{
		{Name: opAppend, Run: repeat(func() { f.Keyring.AppendDecrypt(room, token) })},
		{Name: opFresh, Run: repeat(func() { f.Keyring.Decrypt(token) })},
		{Name: opString, Run: repeat(func() { f.Keyring.DecryptString(text) })},
		{Name: opFloor, Run: repeat(func() { f.Floor.AppendDecrypt(room, token) })},
		{Name: opFernetGo, Run: repeat(func() { fernetgo.VerifyAndDecrypt(token, 0, f.FernetGo) })},
		{Name: opTink, Run: repeat(func() { f.Tink.Decrypt(ciphertext, nil) })},
	}, nil
}

// repeat makes of one call the loop that measure.Slices times. Every operation pays the
// same nanosecond for the call of f.
func repeat(f func()) func(int) {
	return func(n int) {
		for range n {
			f()
		}
	}
}

// partsGroup is the floor's encryption in its parts, which bound what any
// implementation can reach.
func partsGroup(size int) (measure.Group, error) {
	raw := make([]byte, fernet.RawTokenLen(size))
	signed := raw[:len(raw)-sha256.Size]
	iv := raw[9:][:aes.BlockSize]
	body := signed[9+aes.BlockSize:]
	text := make([]byte, base64.URLEncoding.EncodedLen(len(raw)))

	mac := hmac.New(sha256.New, make([]byte, 16))
	mac.Reset()
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		return nil, err
	}
	mode := cipher.NewCBCEncrypter(block, iv).(interface {
		cipher.BlockMode
		SetIV([]byte)
	})
	var seconds int64
	return measure.Group{
		{Name: opClock, Run: repeat(func() { seconds += time.Now().Unix() })},
		{Name: opRandom, Run: repeat(func() { rand.Read(iv) })},
		{Name: opMAC, Run: repeat(func() {
			mac.Reset()
			mac.Write(signed)
			mac.Sum(signed)
		})},
		{Name: opCBC, Run: repeat(func() {
			mode.SetIV(iv)
			mode.CryptBlocks(body, body)
		})},
		{Name: opBase64, Run: repeat(func() { base64.URLEncoding.Encode(text, raw) })},
	}, nil
}

// ringGroup reads tokens of one key in a ring of only that key, and in a ring of
// ten of which it is the last.
func ringGroup(size int) (measure.Group, error) {
	ten, one, err := benchmarks.NewRing(10)
	if err != nil {
		return nil, err
	}
	token := one.Encrypt(benchmarks.Plaintext(size))
	room := make([]byte, 0, size)
	return measure.Group{
		{Name: opOne, Run: repeat(func() { one.AppendDecrypt(room, token) })},
		{Name: opTenKeys, Run: repeat(func() { ten.AppendDecrypt(room, token) })},
	}, nil
}

// scalingGroups encrypt, and decrypt, in one goroutine and in two that share a
// ring; and, to show what the machine has to give, on one floor and on two that
// share nothing.
func scalingGroups(size int) ([]measure.Group, error) {
	type worker struct {
		f           *benchmarks.Field
		room, token []byte
	}
	var workers [2]worker
	for i := range workers {
		f, err := benchmarks.NewField()
		if err != nil {
			return nil, err
		}
		token := f.Keyring.Encrypt(benchmarks.Plaintext(size))
		workers[i] = worker{f: f, room: make([]byte, 0, len(token)), token: token}
	}
	plaintext := benchmarks.Plaintext(size)
	shared, token := workers[0].f.Keyring, workers[0].token

	scale := func(ours, bare func(w worker)) measure.Group {
		loop := func(w worker, f func(worker)) func(int) {
			return repeat(func() { f(w) })
		}
		both := func(f func(worker)) func(int) {
			a, b := loop(workers[0], f), loop(workers[1], f)
			return func(n int) { together(n, a, b) }
		}
		return measure.Group{
			{Name: opOne, Run: loop(workers[0], ours)},
			{Name: opTwo, Run: both(ours)},
			{Name: opOneBare, Run: loop(workers[0], bare)},
			{Name: opTwoBare, Run: both(bare)},
		}
	}
	return []measure.Group{
		scale(
			func(w worker) { shared.AppendEncrypt(w.room, plaintext) },
			func(w worker) { w.f.Floor.AppendEncrypt(w.room, plaintext) },
		),
		scale(
			func(w worker) { shared.AppendDecrypt(w.room, token) },
			func(w worker) { w.f.Floor.AppendDecrypt(w.room, w.token) },
		),
	}, nil
}

// together splits n between two goroutines, and waits for both.
func together(n int, a, b func(int)) {
	var wg sync.WaitGroup
	wg.Go(func() { a(n / 2) })
	b(n - n/2)
	wg.Wait()
}
