# The end: nothing else lies here (LAYOUT-1), and the records agree with one another (GAP-1, CLOSE-3, CLOSE-4).
. "$parts/words.sh"
{
  cat "$work/records" "$work/heads" "$work/names"
  sed 's,.* \(.*\),keys/\1.pem,' "$work/keys"
  printf '%s\n' log/close.tlog-proof log/manifest.jsonl log/manifest.tlog-proof stamps/close.tlog-proof
  printf '%s\n' README.zh.md README.en.md bundle.json verify.sh
  grep -Ex 'verify/[a-z]{1,32}[.](sh|awk)' "$work/there"
} | sort | comm -13 - "$work/there" | sed 's/^/LAYOUT-1 /' >"$work/more"
found more
found account
