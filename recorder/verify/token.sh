# Is $work/reply a time-stamp authority's reply, signed, of $work/checkpoint (RFC 3161; STAMP-3)? Ends with 1 if it is
# not. It leaves the reply's time, as records write it, and the name of the authority. Who that is, is not judged
# here.
. "$parts/words.sh"
cd "$work" || exit 1

# Signed by the certificate that came with it, and named there by its hash (RFC 5035, RFC 2634).
openssl ts -reply -in reply -token_out -out token 2>/dev/null &&
  openssl cms -verify -noverify -binary -inform DER -in token -out info -signer signer 2>/dev/null || exit 1
openssl cms -cmsout -print -inform DER -in token >text 2>/dev/null
grep -q 'd.issuerAndSerialNumber' text || exit 1
awk '/^ +digestAlgorithm: *$/ { getline; print $2 }' text | grep -Exq 'sha(256|384|512)' || exit 1
attribute=signingCertificateV2
grep -q $attribute text || attribute='signingCertificate '
named=$(sed -n "/$attribute/,\$p" text | sed -nE 's/.*OCTET STRING +[[]HEX DUMP[]]:([0-9A-F]+).*/\1/p' | head -n1)
case $attribute:${#named} in
  'signingCertificate :40') by=sha1 ;;
  *:64) by=sha256 ;;
  *:96) by=sha384 ;;
  *:128) by=sha512 ;;
  *) exit 1 ;;
esac
[ "$(openssl x509 -in signer -outform DER | openssl dgst -$by -r | cut -d' ' -f1 | tr a-f A-F)" = "$named" ] || exit 1

# DER, and nothing after it: every length in its shortest spelling.
openssl asn1parse -inform DER -in reply 2>/dev/null |
  sed -nE 's/^ *[0-9]+:d= *[0-9]+ +hl= *([0-9]+) +l= *([0-9]+|inf) .*/\1 \2/p' |
  awk -v size="$(wc -c <reply)" '
    $2 == "inf" || $1 != ($2 < 128 ? 2 : $2 < 256 ? 3 : $2 < 65536 ? 4 : 5) { bad = 1 }
    NR == 1 && $1 + $2 != size { bad = 1 }
    END { exit bad || !NR }
  ' || exit 1

# Granted, and of the checkpoint.
openssl ts -reply -in reply -text >text 2>/dev/null
grep -q '^Status: Granted' text && grep -q '^Hash Algorithm: sha256$' text || exit 1
imprint=$(sed -nE '/^Message data:/,/^Serial/s/^ +[0-9a-f]{4} - (.{47}) .*/\1/p' text | tr -d ' \n-')
[ "$imprint" = "$(sha256sum <checkpoint | cut -c1-64)" ] || exit 1

# openssl writes Nov 22 14:29:45.5 2026 GMT.
sed -n 's/^Time stamp: //p' text | awk '{
  month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $1) + 2) / 3
  split($3, clock, ".")
  if (NF == 5 && $5 == "GMT")
    printf "%s-%02d-%02dT%s.%sZ\n", $4, month, $2, clock[1], substr(clock[2] "000", 1, 3)
}' >time
[ -s time ] && openssl x509 -in signer -noout -subject -nameopt RFC2253 | sed 's/^subject=//' >authority
