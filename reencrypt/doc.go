// Package reencrypt moves the encrypted columns of a table to another key or form, and
// columns of plaintext to tokens, while the application keeps reading and writing.
//
//	plan := reencrypt.Plan{
//		Table:   "users",
//		Columns: []reencrypt.Column{{Name: "email", Keyring: kr}}, // to kr's primary key
//	}
//	result, err := reencrypt.Run(ctx, db, reencrypt.PostgreSQL, plan, reencrypt.Options{})
//
// [TakeCensus] counts what is stored under which key and changes nothing; [Retire]
// says whether a key may be taken away; [Check] is the preflight of all of them.
//
// # What a caller may rely on
//
// The table is read in the order of its primary key, or of a unique key without
// NULL, in batches. Each value is written only if it is still, byte for byte, what
// was read, so that a concurrent writer always wins and none of its writes is lost.
// A batch is one transaction, and the checkpoint (the table [StateTable] in the same
// database) is committed with it: after a kill at any instant, a lost connection or
// a restarted server, the same call goes on where the last commit stood. Several
// calls for the same plan at once, in one process or many, share the work; one that
// was frozen and wakes up writes nothing that another has taken over.
//
// A token keeps its time. A deterministic token stays deterministic. NULL stays
// NULL. Columns that the plan does not name are not written; MySQL's ON UPDATE
// CURRENT_TIMESTAMP is held still. Triggers of the table fire, as they do for every
// UPDATE; [Check] names them.
//
// Finished is proved, not assumed: Run ends with a census, and what it still finds
// under another key makes the run end with [ErrNotComplete] and the IDs of the keys.
// A value that no key opens is left as it is, listed by primary key
// ([Options.Unreadable]), counted, and makes the run end with [ErrUnreadable], after
// all others are done.
//
// # What it does not do
//
// It does not stop writers that still use the old key: give all of them the new ring
// first. It does not erase old tokens from backups, replicas' logs or dead rows. A
// census is true of the moment at which each row was read. docs/rotation.md has the
// whole account, with the test that shows each claim.
//
// # Secrets
//
// No error, progress report or checkpoint holds a plaintext, a token, a key or a
// DSN. Primary keys of rows appear in checkpoints and in reports of unreadable rows.
// Of the errors of a driver only their code is passed on, because databases quote
// values in messages.
package reencrypt
