# Records (FORM to CLOSE): what they and the heads say is judged by records.awk, which leaves what the parts after this
# one check. Each record is a file of its own here, line/N, without its newline, and hashed.
. "$parts/words.sh"
mkdir "$work/line" "$work/head"
: >"$work/keys" >"$work/want"
: >"$work/witnesses" >"$work/stamps"
records=$(cat "$work/records")

# What comes after rubbish is not read.
awk -v folder="$work/line" '
  BEGIN { ORS = "" }
  !index($0, ",\"seq\":" NR - 1 ",\"type\":\"") { exit }
  { file = sprintf("%s/%07d", folder, NR); print >file; close(file) }
' $records
(cd "$work/line" && ls | xargs sha256sum | cut -c1-64) >"$work/hashes"

visit=$(sed -nE '1s/.*"visit":"([A-Za-z0-9_-]{1,64})"[}]$/\1/p' records/000001.jsonl)
printf 'teleconsult-log-v1\n%s' "$visit" >"$work/seed"
awk -v seed="$(sha256sum <"$work/seed" | cut -c1-64)" -v out="$work" \
  -f "$parts/words.awk" -f "$parts/forms.awk" -f "$parts/heads.awk" -f "$parts/certificate.awk" \
  -f "$parts/coverage.awk" -f "$parts/records.awk" "$work/hashes" $records $(cat "$work/heads") || broken FORM-2
found said
