# Runs a temporary PostgreSQL cluster until standard input ends, then removes it.
# Argument: the directory of the server binaries.
# Prints one line: "ready" and the directory of the socket, or "failed" and why.
# For each line "restart" that it reads, it stops the server as a crash would, starts
# it again and prints "restarted".

bin=$1

# Nothing but the end of the input may stop this script, or the server would outlive
# it; not even a reader that is gone before it could be told "ready".
trap '' HUP INT TERM PIPE

dir=$(mktemp -d "$TMPDIR/fernetcol-postgres-XXXXXX" || mktemp -d /tmp/fernetcol-postgres-XXXXXX)
if [ -z "$dir" ]; then
	echo "failed to make a temporary directory"
	exit 1
fi
cd "$dir" || exit 1

start() {
	"$bin/initdb" -D data -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync || return
	cat >>data/postgresql.conf <<-CONF || return
		listen_addresses = ''
		unix_socket_directories = '$dir'
		max_connections = 200
		shared_buffers = 32MB
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		autovacuum = off
	CONF
	"$bin/pg_ctl" -D data -l log -w start
}

if start >>log 2>&1 </dev/null; then
	echo "ready $dir"
else
	echo "failed $(grep -m 1 -E 'error:|FATAL:' log || tail -n 1 log)"
fi

while read -r command; do
	if [ "$command" = restart ]; then
		"$bin/pg_ctl" -D data -m immediate -w stop >/dev/null 2>&1
		"$bin/pg_ctl" -D data -l log -w start >/dev/null 2>&1 </dev/null && echo restarted
	fi
done

"$bin/pg_ctl" -D data -m fast -w stop >/dev/null 2>&1
cd / && rm -rf "$dir"
