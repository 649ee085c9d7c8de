#!/bin/sh
# Is this recording intact, and is it complete? The rules of FORMAT.md with sh, the usual Unix tools and openssl 3, no network.
#   sh verify.sh [FOLDER [FINGERPRINT [ROOTS]]]    FOLDER: where this file lies, if not named; FINGERPRINT: the Ed25519 key you
#   expect, "" for any; ROOTS: PEM file of who may vouch for time-stamp authorities; a timestamp of the end is required then
# Ends with 0 (intact and complete), 1 (the first broken rule is named), 2 (nothing was judged: no bundle, or something is missing
# here). Run copies of verify.sh, verify.awk, verify-log.sh and verify-stamps.sh that you trust, not those of what they judge.
set -u; export LC_ALL=C; unset CDPATH; unchecked="lengths of names, limits of single numbers, order and repetition of names in a map, dates no calendar has"
tools=$(cd "$(dirname "$0")" && pwd); for t in verify.awk verify-log.sh verify-stamps.sh; do [ -r "$tools/$t" ] || { echo "$t must lie beside verify.sh" >&2; exit 2; }; done
for t in awk base64 cmp comm cut find grep iconv mktemp od openssl paste realpath sed sha256sum sort stat tail tr wc xargs; do command -v $t >/dev/null || { echo "this needs $t" >&2; exit 2; }; done
roots=${3:+$(realpath "$3")}; cd "${1:-$tools}" 2>/dev/null || { echo "no such folder" >&2; exit 2; }
[ -e records ] || [ -e bundle.json ] || { echo "not a bundle" >&2; exit 2; }; w=$(mktemp -d) || exit 2; trap 'rm -rf "$w"' EXIT; mkdir "$w/line" "$w/head"; : >"$w/keys" >"$w/want"
verdict() {
  echo "intact: $1"; echo "complete: $2"; for k in witnessed timestamped; do [ -s "$w/$k" ] && cat "$w/$k" || echo "$k: none"; done
  [ -z "${3-}" ] && echo "not checked here: $unchecked" || echo "broken: $3"; [ "$2" = yes ]; exit
}
broken() { verdict no no "$*"; }; sm3() { openssl dgst -sm3 -binary; }
nothing() { [ ! -s "$w/$1" ] || verdict "${2:-no}" no "$(head -n1 "$w/$1")"; }; others() { sh "$tools/verify-stamps.sh" "$1" "$w" "$roots" >"$w/others" || { nothing others; exit 2; }; } # a step writes what it finds broken into a file
files() { find . "$@" ! -name .DS_Store ! -name Thumbs.db ! -name desktop.ini; }
# 1. Names: plain files, batches numbered from 1 without a hole, whole lines of UTF-8, no control characters.
[ -z "$(find . -name '*[!A-Za-z0-9._-]*')" ] || broken LAYOUT-4
{ find . ! -type d ! -type f -o -name part-000; find . -type d | grep -Evx '[.](/(records|heads|keys|log|stamps|streams(/[a-z][a-z0-9-]{0,31}([.]screen)?(/part-[0-9]{3})?)?))?'; } | sed 's/^/LAYOUT-1 /' >"$w/odd"; nothing odd
files -type f | cut -c3- | sort >"$w/there"
for k in records heads; do grep -Ex "$k/[0-9]{6}[.]jsonl" "$w/there" | grep -v /000000 >"$w/$k"; done
records=$(cat "$w/records"); heads=$(cat "$w/heads"); n=$(wc -l <"$w/records"); [ "$n" -gt 0 ] || broken CHAIN-1 records/000001.jsonl
for k in records heads; do awk -v n="$n" -v k="$k" 'BEGIN { while (i < n) printf "%s/%06d.jsonl\n", k, ++i }' | cmp -s - "$w/$k" || broken LAYOUT-2 "$k"; done
lines() { [ "$(tail -qc1 "$@" | tr -dc '\n' | wc -c)" = "$n" ] && [ -z "$(find "$@" -size +16777216c)" ] && [ "$(cat "$@" | tr -d '\n\040-\377' | wc -c)" = 0 ] && cat "$@" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1; }
lines $records || broken FORM-1 records; lines $heads || broken HEAD-1 heads
# 2. Records: each is a file of its own, without its newline, and hashed; what they say is judged by verify.awk.
awk -v d="$w/line" 'BEGIN { ORS = "" } !index($0, ",\"seq\":" NR - 1 ",\"type\":\"") { exit } { f = sprintf("%s/%07d", d, NR); print >f; close(f) }' $records # what comes after rubbish is not read
(cd "$w/line" && ls | xargs sha256sum | cut -c1-64) >"$w/hashes"
printf 'teleconsult-log-v1\n%s' "$(sed -nE '1s/.*"visit":"([A-Za-z0-9_-]{1,64})"[}]$/\1/p' records/000001.jsonl)" >"$w/seed"
awk -v seed="$(sha256sum <"$w/seed" | cut -c1-64)" -v out="$w" -f "$tools/verify.awk" "$w/hashes" $records $heads || broken FORM-2; nothing said
# 3. Keys: as `open` names them, byte for byte as openssl writes them; the one you expect.
while read -r alg key; do
  case $alg in ed25519) der=MCowBQYDK2VwAyEA ;; sm2) der=MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAE ;; esac; f=keys/$key.pem
  [ -f "$f" ] && openssl pkey -pubin -in "$f" 2>/dev/null | cmp -s - "$f" && grep -q "^$der" "$f" && [ "$(openssl pkey -pubin -in "$f" -outform DER | sha256sum | cut -c1-64)" = "$key" ] || broken KEY-1 "$f"
done <"$w/keys"; algs=$(cut -d' ' -f1 "$w/keys" | sort | tr '\n' ' '); [ "$algs" = "ed25519 " ] || [ "$algs" = "ed25519 sm2 " ] || broken KEY-1
grep -qx "ed25519 ${2:-.*}" "$w/keys" || broken KEY-2 "not the key you expect"; nothing headed
# 4. Heads: what they say is judged; now each signature, key by key, and the SM3 chain, side by side.
signed() { # ALGORITHM OPTIONS...
  alg=$1; key=keys/$(sed -n "s/^$1 //p" "$w/keys").pem; shift
  for h in "$w"/head/*."$alg"; do
    base64 -d <"$h" >"$h.der" 2>/dev/null && openssl pkeyutl -verify -pubin -inkey "$key" -rawin "$@" -in "${h%.*}" -sigfile "$h.der" >"$h.said" 2>&1 || { echo "HEAD-5 head ${h##*/}" >>"$w/unsigned"; break; }
  done
}
{ m=$w/m; sm3 <"$w/seed" >"$m"; for l in "$w"/line/*; do cat "$m" "$l" | sm3 >"$l.m"; m=$l.m; done; } &
signed ed25519 & case $algs in *sm2*) signed sm2 -digest sm3 -pkeyopt distid:1234567812345678 & esac; wait; nothing unsigned
cat "$w"/line/*.m | od -An -v -tx1 -w32 | tr -d ' ' | awk '!said { m[NR] = $1; next } m[$1] "" != $2 { print "HEAD-4", $3 }' - said=1 "$w/sm3" >"$w/headed"; nothing headed
for k in close manifest; do others "$k"; done
# 5. Objects: there, of this size, with these hashes; and nothing else is.
cut -d' ' -f4 "$w/want" >"$w/names"; sort "$w/names" | comm -23 - "$w/there" | sed 's,^stamps.*,STAMP-1 &,; t; s,.*init.*,PART-2 &,; t; s,^,SEG-1 ,' >"$w/gone"; nothing gone
if [ -s "$w/names" ]; then
  other() { awk -v n="$1" 'NR == FNR { want[NR] = n ? $1 " " $4 : $0; next } want[FNR] != $0 { print ($NF ~ /^stamps/ ? "STAMP-1" : $NF ~ /init/ ? "PART-2" : "SEG-2"), $NF } END { if (NR != 2 * FNR) print "SEG-2" }' "$w/want" - >"$w/other"; }
  xargs stat -c %s <"$w/names" >"$w/1"; paste -d' ' "$w/1" "$w/names" | other 1; nothing other # sizes first: a huge file is not read
  xargs sha256sum <"$w/names" | cut -c1-64 >"$w/2"; xargs openssl dgst -sm3 -r <"$w/names" | cut -c1-64 >"$w/3"
  paste -d' ' "$w/1" "$w/2" "$w/3" "$w/names" | other 0; fi; nothing other
{ cat "$w/records" "$w/heads" "$w/names"; sed 's,.* \(.*\),keys/\1.pem,' "$w/keys"; printf '%s\n' README.zh.md README.en.md bundle.json verify.sh verify.awk verify-log.sh verify-stamps.sh log/close.tlog-proof log/manifest.jsonl log/manifest.tlog-proof stamps/close.tlog-proof; } |
  sort | comm -13 - "$w/there" | sed 's/^/LAYOUT-1 /' >"$w/more"; others stamps; nothing more
# 6. The end: nothing contradicts the records (intact), and every millisecond is accounted for (complete).
nothing account; nothing close yes; verdict yes yes
