# Names and lines (LAYOUT, FORM-1, HEAD-1): plain files where FORMAT.md §2 has them, batches numbered from 1 without a
# hole, whole lines of UTF-8 without control characters. It leaves the lists there (all files), records and heads.
. "$parts/words.sh"

[ -z "$(find . -name '*[!A-Za-z0-9._-]*')" ] || broken LAYOUT-4
streams='streams(/[a-z][a-z0-9-]{0,31}([.]screen)?(/part-[0-9]{3})?)?'
{
  find . ! -type d ! -type f
  find . -name part-000
  find . -type d | grep -Evx "[.](/(records|heads|keys|log|stamps|verify|$streams))?"
} | sed 's/^/LAYOUT-1 /' >"$work/odd"
found odd

# What file managers leave is passed over.
find . -type f ! -name .DS_Store ! -name Thumbs.db ! -name desktop.ini | cut -c3- | sort >"$work/there"
for kind in records heads; do
  grep -Ex "$kind/[0-9]{6}[.]jsonl" "$work/there" | grep -v /000000 >"$work/$kind"
done
batches=$(wc -l <"$work/records")
[ "$batches" -gt 0 ] || broken CHAIN-1 records/000001.jsonl
for kind in records heads; do
  awk -v batches="$batches" -v kind="$kind" 'BEGIN { while (n < batches) printf "%s/%06d.jsonl\n", kind, ++n }' |
    cmp -s - "$work/$kind" || broken LAYOUT-2 "$kind"
done

well_written() { # BATCH...
  [ "$(tail -qc1 "$@" | tr -dc '\n' | wc -c)" = "$batches" ] &&
    [ -z "$(find "$@" -size +16777216c)" ] &&
    [ "$(cat "$@" | tr -d '\n\040-\377' | wc -c)" = 0 ] &&
    cat "$@" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1
}
well_written $(cat "$work/records") || broken FORM-1 records
well_written $(cat "$work/heads") || broken HEAD-1 heads
