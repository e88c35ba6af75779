package gormencrypt_test

// otherStruct returns a struct of another type than the model, with the field as a
// program would have it there: plain where the model's is encrypted.
func otherStruct(f fieldForm) any {
	switch f.name {
	case "Email":
		return struct{ Email string }{f.plain.(string)}
	case "Phone":
		return struct{ Phone string }{f.plain.(string)}
	case "Nick":
		return struct{ Nick *string }{new(f.plain.(string))}
	case "Alias":
		return struct{ Alias string }{f.plain.(string)}
	case "Note":
		return struct{ Note string }{f.plain.(string)}
	case "SSN":
		return struct{ SSN string }{f.plain.(string)}
	case "Blob":
		return struct{ Blob string }{string(f.plain.([]byte))}
	case "Photo":
		return struct{ Photo []byte }{f.plain.([]byte)}
	case "Age":
		return struct{ Age int64 }{int64(f.plain.(int))}
	case "Login":
		return struct{ Login string }{f.plain.(string)}
	case "Zip":
		return struct{ Zip *string }{new(f.plain.(string))}
	case "Code":
		return struct{ Code *int64 }{new(int64(f.plain.(int)))}
	case "Badge":
		return struct{ Badge string }{f.plain.(string)}
	}
	return *person("u", f)
}

// notBytes returns the plain value, as a string if it is a []byte: GORM takes a
// []byte in a condition for a list, and drops it from what it assigns.
func notBytes(f fieldForm) any {
	if b, ok := f.plain.([]byte); ok {
		return string(b)
	}
	return f.plain
}
