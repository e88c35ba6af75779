package cli_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/fernetcol/fernetcol/fernet"
	"github.com/fernetcol/fernetcol/internal/cli"
)

func TestArgumentsThatAreSecretsAreRecognised(t *testing.T) {
	t.Parallel()
	key := fernet.GenerateKey().Encode()
	other := strings.NewReplacer("-", "+", "_", "/").Replace("aB3_" + key[4:])
	for _, arg := range []string{
		key, "--key=" + key, "SECRET_FERNET_KEY=" + key, key + "," + key, "x " + key, key + "\n",
		strings.TrimRight("aB3_"+key[4:], "="), other,
		"gAAAAABrBM1RgPX868heG3u0", "--token=gAAAAABrBM1RgPX868heG3u0",
		"postgres://localhost/app", "--dsn=mysql://a:b@c/d", "a:b@tcp(c)/d", "a@unix(/run/x)/d", "a:b/c@/d",
		"user=a password=b", "host=a PASSWORD=b", "sqlite:app.db", "file:app.db", "--dsn-file=sqlite:app.db",
	} {
		if cli.SecretRemedy(arg) == "" {
			t.Errorf("%q is taken for no secret", arg)
		}
	}
	for _, arg := range []string{
		"", "encrypt", "users.email", "app.users.email", `"my.table".email`, "--dsn-env=DATABASE_URL",
		"29c65eafbdcdb9fd", "/run/secrets/fernet-keys", "/var/lib/kubernetes/secrets/fernet/mainkeyAB3",
		"./keys", "email_index,trim,lower,bits=32,rows=100000", "--rate=1000", "--retry-for=1m", "ada@example.com",
		"a_table_with_a_name_of_forty_three_charactr", "C:\\keys\\fernet.key", "-o", "--",
	} {
		if remedy := cli.SecretRemedy(arg); remedy != "" {
			t.Errorf("%q %s", arg, remedy)
		}
	}
}

// A data source name that cannot be read, or does not lead to a database, is an error
// that holds no part of it.
func TestErrorsHoldNoPartOfTheDSN(t *testing.T) {
	const host, user, name = "host-of-the-dsn", "user-of-the-dsn", "name-of-the-dsn"
	t.Setenv("SECRET_FERNET_KEY", fernet.GenerateKey().Encode())
	t.Setenv("PGSSLMODE", "")
	for _, dsn := range []string{
		"postgres://" + user + ":" + password + "@127.0.0.1:1/" + name + "?sslmode=disable&connect_timeout=2",
		"postgres://" + user + ":" + password + "@" + host + ".invalid/" + name,
		"postgres://" + user + ":" + password + "@127.0.0.1:port/" + name,
		"postgres://" + user + ":" + password + "%zz@127.0.0.1/" + name,
		"postgres://" + user + ":" + password + "/@127.0.0.1/" + name,
		"postgres://" + user + ":" + password + "@[::1/" + name,
		"postgres://" + user + ":" + password + "@127.0.0.1/" + name + "?sslmode=" + host,
		"postgres://" + user + ":" + password + "@127.0.0.1/" + name + "?sslmode=verify-full&sslrootcert=/" + host,
		"postgres://" + user + ":" + password + "@127.0.0.1/" + name + "?connect_timeout=" + host,
		"postgres://" + user + ":" + password + "\n@127.0.0.1/" + name,
		"host=" + host + " user=" + user + " password=" + password + " dbname=" + name,
		"mysql://" + user + ":" + password + "@127.0.0.1:1/" + name,
		"mysql://" + user + ":" + password + "@" + host + ".invalid/" + name,
		"mysql://" + user + ":" + password + "@127.0.0.1:port/" + name,
		"mysql://" + user + ":" + password + "%zz@127.0.0.1/" + name,
		"mysql://" + user + ":" + password + "@127.0.0.1/" + name + "?tls=" + host,
		"mysql://" + user + ":" + password + "@127.0.0.1/" + name + "?parseTime=" + host,
		"mysql://" + user + ":" + password + "@127.0.0.1/" + name + "?timeout=" + host,
		"mysql:" + user + ":" + password + "@" + host + "/" + name,
		user + ":" + password + "@tcp(127.0.0.1:1)/" + name,
		user + ":" + password + "@tcp(" + host + ".invalid)/" + name,
		user + ":" + password + "@tcp(" + host + "/" + name,
		user + ":" + password + "@" + host + "/" + name,
		user + ":" + password + "@unix(/" + host + ")/" + name,
		"sqlite:/" + host + "/" + password,
		"sqlite:",
		"sqlite::memory:",
		"file:/" + host + "/" + password + "?mode=rw",
		"file:/" + host + "/" + password + "?mode=%zz",
		"file:",
		"oracle://" + user + ":" + password + "@" + host + "/" + name,
		password,
		"$DATABASE_URL",
		" ",
	} {
		t.Setenv("DATABASE_URL", dsn)
		for _, args := range [][]string{{"census", "users.email"}, {"reencrypt", "users.email"}, {"check", "users.email"}} {
			var out, err bytes.Buffer
			code := cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err})
			if code == 0 && args[0] != "check" || code != 0 && (strings.Count(err.String(), "\n") != 1 || !strings.HasPrefix(err.String(), "fernetcol: ")) {
				t.Errorf("%s with the DSN %q: exit code %d, %s", args[0], dsn, code, &err)
			}
			for _, part := range []string{host, user, name, password, "127.0.0.1"} {
				if strings.Contains(err.String()+out.String(), part) {
					t.Errorf("%s with the DSN %q says %s: %s", args[0], dsn, part, &err)
				}
			}
		}
	}
}

// What opens has a shape, whose range holds the plaintext's length; and what has a
// shape re-encodes to itself, as ParseKey and Decrypt ask.
func FuzzShapeOf(f *testing.F) {
	kr, err := fernet.NewKeyring(fernet.GenerateKey())
	if err != nil {
		f.Fatal(err)
	}
	for _, plaintext := range []string{"", "a", strings.Repeat("a", 15), strings.Repeat("a", 16), strings.Repeat("a", 1000)} {
		f.Add([]byte(plaintext), []byte("gAAAAA"))
		f.Add([]byte(plaintext), kr.Encrypt([]byte(plaintext)))
		f.Add([]byte(plaintext), kr.EncryptRaw([]byte(plaintext)))
	}
	f.Fuzz(func(t *testing.T, plaintext, garbage []byte) {
		for _, token := range [][]byte{kr.Encrypt(plaintext), kr.EncryptRaw(plaintext)} {
			raw, least, most, err := cli.ShapeOf(token)
			if err != nil || raw != (token[0] == 0x80) || len(plaintext) < least || len(plaintext) > most {
				t.Errorf("a token of %d bytes: raw %t, %d to %d, %v", len(plaintext), raw, least, most, err)
			}
		}
		raw, least, _, err := cli.ShapeOf(garbage)
		if err != nil {
			return
		}
		if want := fernet.RawTokenLen(least); raw && len(garbage) != want || !raw && len(garbage) != fernet.TokenLen(least) {
			t.Errorf("%d bytes have the shape of a token for %d", len(garbage), least)
		}
	})
}

func FuzzSplitName(f *testing.F) {
	for _, name := range []string{"a.b", `"a.b".c`, `"a""b".c`, "a.b.c", `"`, `""`, "a.", ".", `"a"b`, "a\x00.b"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		parts, ok := cli.SplitName(name)
		if !ok {
			return
		}
		// Quoted and taken apart again, the parts are the same.
		quoted := make([]string, len(parts))
		for i, part := range parts {
			if part == "" {
				t.Fatal("an empty part")
			}
			quoted[i] = `"` + strings.ReplaceAll(part, `"`, `""`) + `"`
		}
		again, ok := cli.SplitName(strings.Join(quoted, "."))
		if !ok || !slices.Equal(again, parts) {
			t.Errorf("%q is %q, and %q when quoted", name, parts, again)
		}
	})
}
