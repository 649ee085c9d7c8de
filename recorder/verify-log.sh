# Is a leaf in the log, as the proof says, and did nobody but witnesses named by `open` cosign it (FORMAT.md §8, LOG)?
# verify.sh and verify-stamps.sh run this in the bundle's folder: sh verify-log.sh WORK PROOF LEAF [WITNESSES]. WORK is their own
# folder of intermediate files, LEAF the file that is in the log, WITNESSES the verifier keys that may stand there; without them
# nobody's may, and the proof may carry extra bytes. It leaves WORK/checkpoint, WORK/extra and, for people, WORK/cosigned-by.
set -u; w=$1; proof=$2; leaf=$3; may=${4-/dev/null}; : >"$w/extra"; exec 3>&1
broken() { echo "$1" >&3; exit 1; }
bytes() { base64 -d 2>/dev/null || broken LOG-1; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
sha256() { openssl dgst -sha256 -binary; }
valid() { openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" >/dev/null 2>&1; } # KEY MESSAGE SIGNATURE
# The proof is lines: what it is, the leaf's place, the way up; after an empty line the checkpoint, after another who signed it.
[ -z "$(find "$proof" -size +262144c)" ] && [ -z "$(tr -d '\n\040-\176\342\200\224' <"$proof" | tr '\0' x)" ] && [ "$(tail -c1 "$proof" | hex)" = 0a ] || broken LOG-1
awk -v out="$w" -v strict="${4+yes}" '
  function bad(rule) { print rule; exit 1 }
  FNR == 2 && !strict && /^extra / { print $2 >(out "/extra"); next }
  FNR == 1 && $0 != "c2sp.org/tlog-proof@v1" || FNR == 2 && $0 !~ /^index/ { bad("LOG-1") }
  /^index / && !seen++ { if ($0 !~ /^index (0|[1-9][0-9]*)$/ || FNR > 3) bad("LOG-1"); place = substr($0, 7) + 0; next }
  $0 == "" && paragraph < 2 { paragraph++; next }
  !paragraph && FNR > 1 { if (!seen) bad("LOG-1"); way[++steps] = $0 }
  paragraph == 1 { note[++lines] = $0; print >(out "/checkpoint") }
  paragraph == 2 { if (NF != 3 || $1 != "\342\200\224" || $2 ~ /[+]/ || $0 != $1 " " $2 " " $3 || signatures > 31) bad("LOG-1"); print $2, $3 >(out "/signatures"); signatures++ }
  END {
    if (paragraph != 2 || !seen || lines != 3 || note[1] !~ /^[!-~]+$/ || note[2] !~ /^(0|[1-9][0-9]*)$/ || length(note[2]) > 15 || !signatures) bad("LOG-1")
    print note[1] >(out "/log"); print note[3] >(out "/root"); printf "" >(out "/way"); last = note[2] - 1
    if (place > last) bad("LOG-3")
    for (i = 1; i <= steps; i++) { # RFC 9162 §2.1.3.2
      if (last == 0) bad("LOG-3")
      left = place % 2 || place == last; print (left ? "left" : "right"), way[i] >(out "/way")
      if (left) while (place && place % 2 == 0) { place /= 2; last = int(last / 2) }
      place = int(place / 2); last = int(last / 2)
    }
    if (last) bad("LOG-3")
  }' "$proof" >"$w/parsed" || broken "$(tail -n1 "$w/parsed")"
# Who signed: the log itself with the recording's Ed25519 key, then each witness at most once. A signature begins with 4 bytes that
# name its key: SHA-256(name, newline, 1 or 4, key); a witness signs the time as well (C2SP signed-note, tlog-cosignature).
key=keys/$(sed -n 's/^ed25519 //p' "$w/keys").pem; log=$(cat "$w/log")
openssl pkey -pubin -in "$key" -outform DER | tail -c32 >"$w/raw"; first=yes; : >"$w/used"
while read -r name signature; do
  printf '%s' "$signature" | bytes >"$w/sig"; [ "$(base64 -w0 "$w/sig")" = "$signature" ] || broken LOG-1
  hint=$(head -c4 "$w/sig" | hex)
  if [ $first = yes ]; then
    first=no; tail -c+5 "$w/sig" >"$w/bare"
    [ "$name" = "$log" ] && [ "$hint" = "$({ printf '%s\n\1' "$log"; cat "$w/raw"; } | sha256 | head -c4 | hex)" ] && valid "$key" "$w/checkpoint" "$w/bare" || broken LOG-2
    continue
  fi
  word=$(while read -r k; do case $k in "$name+$hint+"*) printf %s "$k"; break ;; esac; done <"$may"); [ -n "$word" ] && [ ${#name} -le 255 ] && ! grep -qxF -- "$word" "$w/used" || broken LOG-4
  echo "$word" >>"$w/used"; printf '%s' "${word#"$name+$hint+"}" | bytes >"$w/typed"; [ "$(wc -c <"$w/typed") $(head -c1 "$w/typed" | hex)" = "33 04" ] || broken LOG-4
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c32 "$w/typed"; } | openssl pkey -pubin -inform DER -out "$w/witness.pem" 2>/dev/null || broken LOG-4
  time=$(head -c12 "$w/sig" | tail -c8 | hex); { printf 'cosignature/v1\ntime %d\n' "0x$time"; cat "$w/checkpoint"; } >"$w/cosigned"
  tail -c+13 "$w/sig" >"$w/bare"; valid "$w/witness.pem" "$w/cosigned" "$w/bare" || broken LOG-4
  [ "${name#"$log/"}" = "$name" ] && echo "witnessed: $name" || echo "witnessed: $name (run by the recorder itself)"
done <"$w/signatures" >"$w/cosigned-by"
# The way up: from the leaf to the root that was signed.
{ printf '\0'; cat "$leaf"; } | sha256 >"$w/node"
while read -r side step; do
  printf '%s' "$step" | bytes >"$w/step"; [ "$(base64 -w0 "$w/step")" = "$step" ] || broken LOG-1
  case $side in left) set -- "$w/step" "$w/node" ;; right) set -- "$w/node" "$w/step" ;; esac
  { printf '\1'; cat "$@"; } | sha256 >"$w/up"; mv "$w/up" "$w/node"
done <"$w/way"
[ "$(base64 -w0 "$w/node")" = "$(cat "$w/root")" ] || broken LOG-3
