# The list of a day's visits (MANIFEST): the log has it, it is in the form of FORMAT.md §8, and has this visit.
. "$parts/words.sh"
list=log/manifest.jsonl
[ -f "$list" ] || [ -f log/manifest.tlog-proof ] || exit 0

sh "$parts/proof.sh" log/manifest.tlog-proof "$list" "$work/witnesses" >/dev/null 2>&1 || broken MANIFEST-1 "$list"
well_written() {
  [ -z "$(find "$list" -size +67108864c)" ] &&
    awk 'length > 65536 { exit 1 }' "$list" &&
    [ "$(tail -c1 "$list" | hex)" = 0a ] &&
    [ -z "$(tr -d '\n\040-\377' <"$list" | tr '\0' x)" ] &&
    iconv -f UTF-8 -t UTF-8 <"$list" >/dev/null 2>&1
}
well_written || broken MANIFEST-1 "$list"

# The first line says whose list of which day it is, each other names a visit, in the order of their hashes.
digest='"[0-9a-f]{64}"'
text='"([^"\\]|\\["\\bfnrt]|\\u00(0[0-7bef]|1[0-9a-f]))*"'
day='[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
clock='([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{3}'
anchor="[{]\"reference\":$text,\"service\":$text[}]"
anchors="[[]($anchor(,$anchor)*)?[]]"
ends="($digest,\"open\":$digest,\"records\":[1-9][0-9]*|null,\"open\":$digest,\"records\":null)"
visits=$(($(wc -l <"$list") - 1))
first() { sed 1q "$list" | grep -q "$@"; }
others() { sed 1d "$list"; }
whose="\"at\":\"${day}T${clock}Z\",\"day\":\"$day\",\"log\":$text,\"prev\":($digest|null)"
first -Ex "[{]$whose,\"v\":1,\"visits\":$visits[}]" &&
  first "/$(sed -nE 's/^ed25519 (.{16}).*/\1/p' "$work/keys")\",\"prev\":" &&
  first -F "\"log\":\"$(sed 's/[\\"]/\\&/g' "$work/log")\",\"prev\":" &&
  ! others | grep -Exvq "[{]\"anchors\":$anchors,\"close\":$ends,\"visit\":$digest[}]" || broken MANIFEST-1 "$list"
others | sed -E 's/.*"visit":"([0-9a-f]*)"[}]$/\1/' >"$work/visits"
sort -cu "$work/visits" 2>/dev/null || broken MANIFEST-1 "$list"

# This visit: on the day it was opened, with its first record, and with its last if it had ended by then.
opened=$(head -c17 records/000001.jsonl | tail -c10)
open=$(head -n1 "$work/hashes")
name=$(sed -nE '1s/.*"visit":"([A-Za-z0-9_-]{1,64})"[}]$/\1/p' records/000001.jsonl)
visit=$(printf 'teleconsult-visit-v1\n%s' "$name" | sha256sum | cut -c1-64)
may_end="null,\"open\":\"$open\",\"records\":null"
if [ -f "$work/ended" ]; then
  read -r records close _ <"$work/ended"
  may_end="($may_end|\"$close\",\"open\":\"$open\",\"records\":$records)"
fi
first "\"day\":\"$opened\",\"log\"" || broken MANIFEST-2 "$list"
others | grep -Exq "[{]\"anchors\":$anchors,\"close\":$may_end,\"visit\":\"$visit\"[}]" || broken MANIFEST-2 "$list"
