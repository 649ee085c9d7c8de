#!/bin/sh
# Is this recording intact, and is it complete? The rules of FORMAT.md with sh, the usual Unix tools and openssl 3.
#
#   sh verify.sh [FOLDER [FINGERPRINT [ROOTS]]]
#     FOLDER       the recording; where this file lies, if not named
#     FINGERPRINT  of the Ed25519 key you expect; "" for any
#     ROOTS        a PEM file of who may vouch for time-stamp authorities; a timestamp of the end is required then
#
# It ends with 0 (intact and complete), 1 (the first broken rule is named) or 2 (nothing was judged: there is no
# recording, or something is missing here). Run a copy that you trust, with its folder verify/, not the one that lies
# in what is judged.
set -u
export LC_ALL=C
unset CDPATH
nothing_judged() { echo "$*" >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
parts=$here/verify
for part in words.sh names.sh records.sh keys.sh heads.sh log.sh proof.sh manifest.sh objects.sh stamps.sh token.sh \
  end.sh words.awk forms.awk heads.awk certificate.awk coverage.awk records.awk; do
  [ -r "$parts/$part" ] || nothing_judged "verify/$part must lie beside verify.sh"
done
for tool in awk base64 cmp comm cut find grep iconv mktemp od openssl paste realpath sed sha256sum sort stat tail tr \
  wc xargs; do
  command -v "$tool" >/dev/null || nothing_judged "this needs $tool"
done
expected=${2-}
roots=${3:+$(realpath "$3")}
cd "${1:-$here}" 2>/dev/null || nothing_judged "no such folder"
[ -e records ] || [ -e bundle.json ] || nothing_judged "not a bundle"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
export parts work expected roots

verdict() { # INTACT COMPLETE [RULE PLACE]
  echo "intact: $1"
  echo "complete: $2"
  for vouched in witnessed timestamped; do
    if [ -s "$work/$vouched" ]; then cat "$work/$vouched"; else echo "$vouched: none"; fi
  done
  if [ -n "${3-}" ]; then
    echo "broken: $3"
  else
    echo "not checked here: lengths of names, limits of single numbers, order and repetition of names in a map," \
      "dates no calendar has"
  fi
  [ "$2" = yes ]
  exit
}

# Each part takes up what those before it left in $work; what it finds broken it says in a line, and ends with 1.
for part in names records keys heads log manifest objects stamps end; do
  rule=$(sh "$parts/$part.sh") || { [ -n "$rule" ] || nothing_judged "$part.sh failed"; verdict no no "$rule"; }
done
[ ! -s "$work/incomplete" ] || verdict yes no "$(head -n1 "$work/incomplete")"
verdict yes yes
