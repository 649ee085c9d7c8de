# What all parts use: each begins with it. They run in the recording's folder, with $parts (where they lie), $work (what
# those before left), $expected and $roots (as verify.sh was given them).
set -u
broken() { echo "$*"; exit 1; }                                     # RULE PLACE
found() { [ ! -s "$work/$1" ] || broken "$(head -n1 "$work/$1")"; } # FILE of broken rules, a line each
sha256() { openssl dgst -sha256 -binary; }
sm3() { openssl dgst -sm3 -binary; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
log_key() { echo "keys/$(sed -n 's/^ed25519 //p' "$work/keys").pem"; }
