# Keys (KEY): those that `open` names, byte for byte as openssl writes them, and the one that is expected.
. "$parts/words.sh"

is_key() { # FILE FINGERPRINT BEGINNING: how the DER of such a key begins, in base64
  [ -f "$1" ] &&
    openssl pkey -pubin -in "$1" 2>/dev/null | cmp -s - "$1" &&
    grep -q "^$3" "$1" &&
    [ "$(openssl pkey -pubin -in "$1" -outform DER | sha256sum | cut -c1-64)" = "$2" ]
}
while read -r algorithm fingerprint; do
  case $algorithm in
    ed25519) begins=MCowBQYDK2VwAyEA ;;
    sm2) begins=MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAE ;;
  esac
  is_key "keys/$fingerprint.pem" "$fingerprint" "$begins" || broken KEY-1 "keys/$fingerprint.pem"
done <"$work/keys"
case $(cut -d' ' -f1 "$work/keys" | sort | tr '\n' ' ') in
  'ed25519 ' | 'ed25519 sm2 ') ;;
  *) broken KEY-1 ;;
esac
grep -qx "ed25519 ${expected:-.*}" "$work/keys" || broken KEY-2 "not the key you expect"
