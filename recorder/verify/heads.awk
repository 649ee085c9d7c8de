# What a head says (HEAD, LAYOUT-3). Its signatures are left for heads.sh: head/N is what head N signs,
# head/N.ALGORITHM a signature in base64, and `sm3` has the records covered, the SM3 and the place of each head.
BEGIN {
  statement_form = "\"statement\":[{]\"at\":\"" INSTANT "\",\"head\":\"[0-9a-f]+\",\"head_sm3\":\"[0-9a-f]+\"," \
    "\"origin\":\"([^\"\\\\]|\\\\.)*\",\"size\":[1-9][0-9]*,\"v\":1,\"visit\":\"[A-Za-z0-9_-]+\"[}][}]$"
}
function head(   f, statement, signed, was, file, one, alg, sig, k) {
  if (!match($0, statement_form)) broken("HEAD-1")
  statement = substr($0, RSTART + 12, RLENGTH - 13); signed = substr($0, 1, RSTART - 1); split(statement, f, "\"")
  if (!index(statement, "," origin ",\"size\":") || !index(statement, ",\"visit\":\"" visit "\"}")) broken("HEAD-2")
  was = size; size = get(statement, "size") + 0
  if (size < was) broken("HEAD-3")
  if (size > n) broken("HEAD-6")
  if (f[8] "" != hash[size]) broken("HEAD-4")
  if ($0 in judged) return # the very same line again says, and costs, nothing
  judged[$0]
  print size, f[12], FILENAME ":" FNR >(out "/sm3")
  file = sprintf("%s/head/%07d", out, ++heads)
  if (!sub(/^[{]"signatures":[[]/, "", signed) || !sub(/],$/, ",", signed)) broken("HEAD-1")
  for (k = 0; match(signed, /^[{]"alg":"[a-z0-9]+","key":"[0-9a-f]+","sig":"[A-Za-z0-9+\/]*=?=?"[}],/); k++) {
    one = substr(signed, 1, RLENGTH); signed = substr(signed, RLENGTH + 1)
    alg = get(one, "alg"); sig = get(one, "sig")
    if (length(sig) % 4 || sig !~ /([AQgw]==|[AEIMQUYcgkosw048]=|[^=])$/) broken("HEAD-1")
    if (!((alg, get(one, "key")) in keys) || signs[alg] == heads) broken("HEAD-5")
    signs[alg] = heads
    print sig >(file "." alg); close(file "." alg)
  }
  if (signed != "" && signed != ",") broken("HEAD-1")
  if (k != signers) broken("HEAD-5")
  printf "teleconsult-head-v1\n%s", statement >file; close(file)
}
