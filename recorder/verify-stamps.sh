# What others say (FORMAT.md §8): witnesses of the log, the manifest of the day, time-stamp authorities. verify.sh runs this in the
# bundle's folder:
#   sh verify-stamps.sh close WORK             the proof that the log has the closing record (LOG); writes WORK/witnessed
#   sh verify-stamps.sh manifest WORK          that the log has log/manifest.jsonl, and that it has this visit (MANIFEST)
#   sh verify-stamps.sh stamps WORK [ROOTS]    each stamp of WORK/stamps and the one of the end (STAMP); writes WORK/timestamped
# WORK is verify.sh's folder of intermediate files. The first broken rule is printed.
set -u; w=$2; roots=${3-}; tools=$(cd "$(dirname "$0")" && pwd); key=keys/$(sed -n 's/^ed25519 //p' "$w/keys").pem
broken() { echo "$*"; exit 1; }
logged() { : >>"$w/witnesses"; sh "$tools/verify-log.sh" "$w" "$1" "$2" "$w/witnesses" 2>/dev/null; } # PROOF LEAF
close() {
  proof=log/close.tlog-proof; [ -f $proof ] || exit 0; [ -f "$w/ended" ] || broken LOG-1 $proof
  said=$(logged $proof "$w/line/$(printf %07d "$(cut -d' ' -f1 "$w/ended")")") || broken "$(echo "$said" | head -n1)" $proof
  mv "$w/cosigned-by" "$w/witnessed"
}
manifest() {
  [ -f log/manifest.jsonl ] || [ -f log/manifest.tlog-proof ] || exit 0
  logged log/manifest.tlog-proof log/manifest.jsonl >/dev/null || broken MANIFEST-1 log/manifest.jsonl
  [ -z "$(find log/manifest.jsonl -size +67108864c)" ] && awk 'length > 65536 { exit 1 }' log/manifest.jsonl || broken MANIFEST-1 log/manifest.jsonl
  hex='"[0-9a-f]{64}"'; text='"([^"\\]|\\["\\bfnrt]|\\u00(0[0-7bef]|1[0-9a-f]))*"'; in=log/manifest.jsonl; day='[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
  id=$({ printf 'teleconsult-visit-v1\n'; sed -nE '1s/.*"visit":"([A-Za-z0-9_-]{1,64})"[}]$/\1/p' records/000001.jsonl | tr -d '\n'; } | sha256sum | cut -c1-64)
  [ "$(tail -c1 "$in" | od -An -tx1 | tr -d ' ')" = 0a ] && [ -z "$(tr -d '\n\040-\377' <"$in" | tr '\0' x)" ] && iconv -f UTF-8 -t UTF-8 <"$in" >/dev/null 2>&1 || broken MANIFEST-1 $in
  sed 1q "$in" | grep -Exq "[{]\"at\":\"${day}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{3}Z\",\"day\":\"$day\",\"log\":$text,\"prev\":($hex|null),\"v\":1,\"visits\":$(($(wc -l <"$in") - 1))[}]" || broken MANIFEST-1 $in
  sed 1q "$in" | grep -q "/$(sed -nE 's/^ed25519 (.{16}).*/\1/p' "$w/keys")\",\"prev\":" || broken MANIFEST-1 $in
  sed 1q "$in" | grep -qF "\"log\":\"$(sed 's/[\\"]/\\&/g' "$w/log")\",\"prev\":" || broken MANIFEST-1 $in
  anchors="[[]([{]\"reference\":$text,\"service\":$text[}](,[{]\"reference\":$text,\"service\":$text[}])*)?[]]"
  [ -z "$(sed 1d "$in" | grep -Exv "[{]\"anchors\":$anchors,\"close\":($hex,\"open\":$hex,\"records\":[1-9][0-9]*|null,\"open\":$hex,\"records\":null),\"visit\":$hex[}]")" ] || broken MANIFEST-1 $in
  sed 1d "$in" | sed -E 's/.*"visit":"([0-9a-f]*)"[}]$/\1/' >"$w/visits"; sort -cu "$w/visits" 2>/dev/null || broken MANIFEST-1 $in
  ends="null,\"open\":\"$(head -n1 "$w/hashes")\",\"records\":null"; [ ! -f "$w/ended" ] || ends="($ends|\"$(cut -d' ' -f2 "$w/ended")\",\"open\":\"$(head -n1 "$w/hashes")\",\"records\":$(cut -d' ' -f1 "$w/ended"))"
  sed 1q "$in" | grep -q "\"day\":\"$(head -c17 records/000001.jsonl | tail -c10)\",\"log\"" || broken MANIFEST-2 $in
  sed 1d "$in" | grep -Exq "[{]\"anchors\":$anchors,\"close\":$ends,\"visit\":\"$id\"[}]" || broken MANIFEST-2 $in
}
token() { # is the authority's reply signed, and of this checkpoint? Its time is left in WORK/time, its name in WORK/authority.
  openssl ts -reply -in "$w/reply" -token_out -out "$w/token" 2>/dev/null && openssl cms -verify -noverify -binary -inform DER -in "$w/token" -out "$w/info" -signer "$w/signer" 2>/dev/null || return 1
  openssl cms -cmsout -print -inform DER -in "$w/token" 2>/dev/null >"$w/text"; grep -q 'd.issuerAndSerialNumber' "$w/text" && awk '/^ +digestAlgorithm: *$/ { getline; print $2 }' "$w/text" | grep -Exq 'sha(256|384|512)' || return 1
  named=signingCertificateV2; grep -q $named "$w/text" || named='signingCertificate '
  named=$(sed -n "/$named/,\$p" "$w/text" | sed -nE 's/.*OCTET STRING +[[]HEX DUMP[]]:([0-9A-F]+).*/\1/p' | head -n1)
  case ${#named} in 40) by=sha1; ! grep -q signingCertificateV2 "$w/text" || return 1 ;; 64) by=sha256 ;; 96) by=sha384 ;; 128) by=sha512 ;; *) return 1 ;; esac
  [ "$(openssl x509 -in "$w/signer" -outform DER | openssl dgst -$by -r | cut -d' ' -f1 | tr a-f A-F)" = "$named" ] || return 1
  openssl asn1parse -inform DER -in "$w/reply" 2>/dev/null | sed -nE 's/^ *[0-9]+:d= *[0-9]+ +hl= *([0-9]+) +l= *([0-9]+|inf) .*/\1 \2/p' |
    awk -v size="$(wc -c <"$w/reply")" '$2 == "inf" || $1 != ($2 < 128 ? 2 : $2 < 256 ? 3 : $2 < 65536 ? 4 : 5) || NR == 1 && $1 + $2 != size { bad = 1 } END { exit bad || !NR }' || return 1 # DER, and nothing after it
  openssl ts -reply -in "$w/reply" -text 2>/dev/null >"$w/text"; grep -q '^Status: Granted' "$w/text" && grep -q '^Hash Algorithm: sha256$' "$w/text" || return 1
  [ "$(sed -nE '/^Message data:/,/^Serial/s/^ +[0-9a-f]{4} - (.{47}) .*/\1/p' "$w/text" | tr -d ' \n-')" = "$(sha256sum <"$w/checkpoint" | cut -c1-64)" ] || return 1
  sed -n 's/^Time stamp: //p' "$w/text" | awk '{ # Nov 22 14:29:45.5 2026 GMT, as openssl writes it
    month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $1) + 2) / 3; split($3, clock, "."); if (NF != 5 || $5 != "GMT") exit
    printf "%s-%02d-%02dT%s.%sZ\n", $4, month, $2, clock[1], substr(clock[2] "000", 1, 3)
  }' >"$w/time"; [ -s "$w/time" ] && openssl x509 -in "$w/signer" -noout -subject -nameopt RFC2253 | sed 's/^subject=//' >"$w/authority"
}
instant() { # TIME DIVISOR: a time as milliseconds, or with 1000 as seconds, since 1970
  echo "$1" | awk -v by="$2" -F '[-T:.Z]' '{
    y = $1 - ($2 < 3); m = $2 + ($2 < 3) * 12
    days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * m - 457) / 5) + $3 - 719469
    printf "%.0f\n", int(((((days * 24 + $4) * 60 + $5) * 60 + $6) * 1000 + $7) / by)
  }'
}
stamp() { # NAME LINE
  sh "$tools/verify-log.sh" "$w" "$1" "$w/line/$(printf %07d "$2")" >/dev/null 2>&1 || broken STAMP-2 "$1"
  base64 -d <"$w/extra" >"$w/bytes" 2>/dev/null && [ "$(base64 -w0 "$w/bytes")" = "$(cat "$w/extra")" ] || broken STAMP-2 "$1"
  head -c64 "$w/bytes" >"$w/sig"; tail -c+65 "$w/bytes" >"$w/reply"; { printf 'teleconsult-stamp-v1\n'; cat "$w/reply"; } >"$w/said"
  openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$w/said" -sigfile "$w/sig" >/dev/null 2>&1 || broken STAMP-2 "$1"
  token && { [ -z "${3-}" ] || [ "$(cat "$w/time")" = "$3" ]; } || broken STAMP-3 "$1"
  echo "$(cat "$w/time") by $(cat "$w/authority")" >>"$w/times"
  [ -n "$roots" ] && openssl ts -verify -in "$w/reply" -data "$w/checkpoint" -CAfile "$roots" -partial_chain -auth_level 1 -attime "$(instant "$(cat "$w/time")" 1000)" >/dev/null 2>&1 || untrusted=yes
}
stamps() {
  untrusted=""; : >"$w/times"; : >>"$w/stamps"; end=""
  while read -r name records at; do stamp "$name" "$records" "$at"; done <"$w/stamps"
  if [ -f stamps/close.tlog-proof ]; then
    [ -f "$w/ended" ] || broken STAMP-2 stamps/close.tlog-proof; read -r records hash at <"$w/ended"; stamp stamps/close.tlog-proof "$records"; end=yes
    [ $(($(instant "$at" 1) - $(instant "$(cat "$w/time")" 1))) -le 120000 ] || broken STAMP-4 stamps/close.tlog-proof
  fi
  if [ -s "$w/times" ]; then
    [ -n "$untrusted" ] && whose="declared, by authorities you did not name" || whose="trusted"; [ -n "$end" ] || whose="$whose; the end has none"
    echo "timestamped: $whose: $(wc -l <"$w/times"), from $(head -n1 "$w/times") to $(tail -n1 "$w/times" | cut -d' ' -f1)" >"$w/timestamped"
  fi
  [ -z "$roots" ] || { [ -z "$untrusted" ] && [ -n "$end" ]; } || broken STAMP-5 stamps/close.tlog-proof
}
"$1"
