# Is a leaf in the log, as its proof says, and did nobody but the witnesses that `open` names cosign it (LOG)?
#
#   sh proof.sh PROOF LEAF [WITNESSES]
#     LEAF       the file that is in the log
#     WITNESSES  the verifier keys that may have cosigned; without them nobody may, and the proof may carry extra bytes
#
# It leaves checkpoint, log (its name), extra and, for people, cosigned-by.
. "$parts/words.sh"
proof=$1
leaf=$2
may=${3-/dev/null}
exec 3>&1
broken() { echo "$1" >&3; exit 1; }
is_base64() { [ "$(base64 -d 2>/dev/null <"$1" | base64 -w0)" = "$(cat "$1")" ]; } # FILE: in its one spelling
valid() { # KEY MESSAGE SIGNATURE
  openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" >/dev/null 2>&1
}

# A proof is lines: what it is, the leaf's place, the way up; after an empty line the checkpoint, after another who
# signed it.
[ -z "$(find "$proof" -size +262144c)" ] &&
  [ -z "$(tr -d '\n\040-\176\342\200\224' <"$proof" | tr '\0' x)" ] &&
  [ "$(tail -c1 "$proof" | hex)" = 0a ] || broken LOG-1
: >"$work/extra" >"$work/way"
awk -v work="$work" -v strict="${3+yes}" '
  function bad(rule) { if (!failed) print rule; failed = 1; exit 1 }
  FNR == 2 && !strict && /^extra / { print $2 >(work "/extra"); next }
  FNR == 1 && $0 != "c2sp.org/tlog-proof@v1" { bad("LOG-1") }
  FNR == 2 && $0 !~ /^index/ { bad("LOG-1") }
  /^index / && !seen++ {
    if ($0 !~ /^index (0|[1-9][0-9]*)$/ || FNR > 3) bad("LOG-1")
    place = substr($0, 7) + 0; next
  }
  $0 == "" && paragraph < 2 { paragraph++; next }
  !paragraph && FNR > 1 { if (!seen) bad("LOG-1"); up[++steps] = $0 }
  paragraph == 1 { note[++lines] = $0; print >(work "/checkpoint") }
  paragraph == 2 {
    if (NF != 3 || $1 != "\342\200\224" || $2 ~ /[+]/ || $0 != $1 " " $2 " " $3 || signatures > 31) bad("LOG-1")
    print $2, $3 >(work "/signatures"); signatures++
  }
  END {
    if (failed) exit 1
    if (paragraph != 2 || !seen || lines != 3 || !signatures) bad("LOG-1")
    if (note[1] !~ /^[!-~]+$/ || note[2] !~ /^(0|[1-9][0-9]*)$/ || length(note[2]) > 15) bad("LOG-1")
    print note[1] >(work "/log"); print note[3] >(work "/root"); last = note[2] - 1
    if (place > last) bad("LOG-3")
    for (i = 1; i <= steps; i++) { # RFC 9162 §2.1.3.2: on which side of the node the hash stands
      if (last == 0) bad("LOG-3")
      left = place % 2 || place == last; print (left ? "left" : "right"), up[i] >(work "/way")
      if (left) while (place && place % 2 == 0) { place /= 2; last = int(last / 2) }
      place = int(place / 2); last = int(last / 2)
    }
    if (last) bad("LOG-3")
  }
' "$proof" >"$work/parsed" || broken "$(cat "$work/parsed")"

# Who signed: the log itself with the recording's Ed25519 key, then each witness at most once. A signature begins with
# four bytes that name its key: SHA-256(name, newline, 1 or 4, key); a witness signs the time as well (C2SP
# signed-note, tlog-cosignature).
named() { { printf '%s\n' "$1"; cat "$2"; } | sha256 | head -c4 | hex; } # NAME TYPED-KEY
log=$(cat "$work/log")
key=$(log_key)
signed_by_the_log() {
  { printf '\1'; openssl pkey -pubin -in "$key" -outform DER | tail -c32; } >"$work/typed"
  tail -c+5 "$work/sig" >"$work/bare"
  [ "$name" = "$log" ] && [ "$begins" = "$(named "$log" "$work/typed")" ] &&
    valid "$key" "$work/checkpoint" "$work/bare"
}
cosigned() {
  word=$(while read -r one; do case $one in "$name+$begins+"*) printf %s "$one"; break ;; esac; done <"$may")
  [ -n "$word" ] && [ ${#name} -le 255 ] && ! grep -qxF -- "$word" "$work/used" || return 1
  echo "$word" >>"$work/used"
  printf %s "${word#"$name+$begins+"}" >"$work/coded"
  is_base64 "$work/coded" && base64 -d <"$work/coded" >"$work/typed" || return 1
  [ "$(wc -c <"$work/typed") $(head -c1 "$work/typed" | hex)" = "33 04" ] || return 1
  [ "$begins" = "$(named "$name" "$work/typed")" ] || return 1
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c32 "$work/typed"; } | # as DER has an Ed25519 key
    openssl pkey -pubin -inform DER -out "$work/witness.pem" 2>/dev/null || return 1
  time=$(tail -c+5 "$work/sig" | head -c8 | hex)
  { printf 'cosignature/v1\ntime %d\n' "0x$time"; cat "$work/checkpoint"; } >"$work/cosigned"
  tail -c+13 "$work/sig" >"$work/bare"
  valid "$work/witness.pem" "$work/cosigned" "$work/bare" || return 1
  case $name in
    "$log"/*) echo "witnessed: $name (run by the recorder itself)" ;;
    *) echo "witnessed: $name" ;;
  esac
}
: >"$work/used"
first=yes
while read -r name signature; do
  printf %s "$signature" >"$work/coded"
  is_base64 "$work/coded" || broken LOG-1
  base64 -d <"$work/coded" >"$work/sig"
  begins=$(head -c4 "$work/sig" | hex)
  if [ $first = yes ]; then
    signed_by_the_log || broken LOG-2
    first=no
  else
    cosigned || broken LOG-4
  fi
done <"$work/signatures" >"$work/cosigned-by"

# The way up: from the leaf to the root that was signed.
{ printf '\0'; cat "$leaf"; } | sha256 >"$work/node"
while read -r side step; do
  printf %s "$step" >"$work/coded"
  is_base64 "$work/coded" || broken LOG-1
  base64 -d <"$work/coded" >"$work/step"
  case $side in
    left) set -- "$work/step" "$work/node" ;;
    right) set -- "$work/node" "$work/step" ;;
  esac
  { printf '\1'; cat "$@"; } | sha256 >"$work/parent"
  mv "$work/parent" "$work/node"
done <"$work/way"
[ "$(base64 -w0 "$work/node")" = "$(cat "$work/root")" ] || broken LOG-3
