# Heads (HEAD): what they say was judged by heads.awk; here each signature, key by key, and the SM3 chain, side by side.
. "$parts/words.sh"
found headed

signed() { # ALGORITHM [OPTION...]
  algorithm=$1
  key=keys/$(sed -n "s/^$1 //p" "$work/keys").pem
  shift
  for signature in "$work"/head/*."$algorithm"; do
    der=$signature.der
    base64 -d <"$signature" >"$der" 2>/dev/null &&
      openssl pkeyutl -verify -pubin -inkey "$key" -rawin "$@" -in "${signature%.*}" -sigfile "$der" >/dev/null 2>&1 ||
      { echo "HEAD-5 head ${signature##*/}" >>"$work/unsigned"; break; }
  done
}
chained() { # the SM3 of each record and all before it
  before=$work/begun
  sm3 <"$work/seed" >"$before"
  for line in "$work"/line/*; do
    cat "$before" "$line" | sm3 >"$line.sm3"
    before=$line.sm3
  done
}
chained &
signed ed25519 &
if grep -q '^sm2 ' "$work/keys"; then signed sm2 -digest sm3 -pkeyopt distid:1234567812345678 & fi
wait
found unsigned
cat "$work"/line/*.sm3 | od -An -v -tx1 -w32 | tr -d ' ' |
  awk '!said { sm3[NR] = $1; next } sm3[$1] "" != $2 { print "HEAD-4", $3 }' - said=1 "$work/sm3" >"$work/headed"
found headed
