package reencrypt

import "errors"

// The errors that a caller branches on. All are wrapped by errors that say more.
var (
	// ErrRefused is wrapped if the preflight found what makes the plan impossible: no
	// such table or column, a column that is not text or bytes, no key to go by, a
	// connection that cannot write. No row was touched.
	ErrRefused = errors.New("reencrypt: refused")
	// ErrNothing is wrapped if there was nothing to look at: no column in the plan, no
	// row in the table, or nothing but NULL. See [Options.AllowEmpty].
	ErrNothing = errors.New("reencrypt: nothing found")
	// ErrUnreadable is wrapped if values were left as they are because no key opens
	// them, or because their token does not fit. All others were done.
	ErrUnreadable = errors.New("reencrypt: unreadable values")
	// ErrNotComplete is wrapped if the closing census still finds values that the plan
	// would change: a writer uses an old key, or writes plaintext.
	ErrNotComplete = errors.New("reencrypt: not complete")
	// ErrKeyInUse is wrapped by [Retire] if a stored token needs the key.
	ErrKeyInUse = errors.New("reencrypt: key in use")
	// ErrStopped is wrapped, with the context's error, if the context ended the call.
	// Every batch is whole; the same call resumes.
	ErrStopped = errors.New("reencrypt: stopped")
)
