package main

import (
	"context"
	"errors"
	"reflect"

	fernetgo "github.com/fernet/fernet-go"
	"gorm.io/gorm/schema"
)

// naive is the serializer that a project writes for itself.
type naive struct{ keys []*fernetgo.Key }

func registerNaive(keys []*fernetgo.Key) { schema.RegisterSerializer("naive", naive{keys}) }

// Scan implements [schema.SerializerInterface].
func (n naive) Scan(ctx context.Context, field *schema.Field, dst reflect.Value, dbValue any) error {
	var token []byte
	switch v := dbValue.(type) {
	case string:
		token = []byte(v)
	case []byte:
		token = v
	}
	plaintext := fernetgo.VerifyAndDecrypt(token, 0, n.keys)
	if plaintext == nil {
		return errors.New("not a token")
	}
	field.ReflectValueOf(ctx, dst).SetString(string(plaintext))
	return nil
}

// Value implements [schema.SerializerInterface].
func (n naive) Value(_ context.Context, _ *schema.Field, _ reflect.Value, value any) (any, error) {
	token, err := fernetgo.EncryptAndSign([]byte(value.(string)), n.keys[0])
	return string(token), err
}
