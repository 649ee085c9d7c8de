# What the records and the heads of a recording say (FORMAT.md §3 to §8). verify.sh runs it:
#   awk -v seed=HEX -v out=FOLDER -f verify.awk HASHES records/*.jsonl heads/*.jsonl
# HASHES has the SHA-256 of each record, a line each. It writes into FOLDER the first broken rule of its kind: `said` (records),
# `headed` (heads), `account` (found at the end), `close` (complete alone); and what is left to check: `keys` (algorithm,
# fingerprint), `witnesses` (their verifier keys), `want` (bytes, SHA-256, SM3, name of each object), `sm3` (records, SM3, place of each head), head/N (what
# head N signs), head/N.ALG (its signature in base64), `stamps` (name, records covered, time of each), `ended` (records, hash of the last, when).
# A member's name comes right after `{"` or `,"`; within a JSON string that quotation mark would be escaped.
# awk compares as numbers what looks like numbers, and some write numbers beyond 2^31 as 2.1e+09: names and hashes are compared
# with "" beside them, numbers with + 0. The form of each body is a pattern (FORM-3). Lengths of names, upper limits of
# single numbers, the order of names in a map, and dates that no calendar has are not checked.

function list_of(one)      { return "[[](" one "(," one ")*)?[]]" }
function map_of(name, one) { one = name ":" one; return "[{](" one "(," one ")*)?[}]" }
function or_null(one)      { return "(" one "|null)" }
function object_of(text,   f, n, i, one, may, all, begun) { # "name kind" pairs in canonical order; what is no kind is the strings it may be
  n = split(text, f, " ")
  for (i = 1; i < n; i += 2) {
    may = sub(/[?]$/, "", f[i]); one = "\"" f[i] "\":" (f[i + 1] in kind ? kind[f[i + 1]] : "\"(" f[i + 1] ")\"")
    all = all (may ? (begun ? "(," one ")?" : "(" one ",)?") : (begun ? "," : "") one); begun = begun || !may
  }
  return "[{]" all "[}]"
}
function forms(   hex, k) {
  hex = "[0-9a-f]"; for (k = 0; k < 6; k++) hex = hex hex
  kind["hex"] = "\"" hex "\""; kind["hex/null"] = or_null(kind["hex"]); kind["boolean"] = "(true|false)"
  kind["count"] = "(0|[1-9][0-9]*)"; kind["count/null"] = or_null(kind["count"]); kind["positive"] = "[1-9][0-9]*"
  kind["integer"] = "(0|-?[1-9][0-9]*)"; kind["integer/null"] = or_null(kind["integer"])
  kind["text"] = "\"([^\"\\\\]|\\\\[\"\\\\bfnrt]|\\\\u00(0[0-7bef]|1[0-9a-f]))*\""
  kind["seat"] = "\"[a-z][a-z0-9-]*\""; kind["stream"] = "\"[a-z][a-z0-9-]*([.]screen)?\""; kind["word"] = "\"[a-z][a-z0-9_.]*\""
  kind["origin"] = "\"([!#-[]|[]-~]|\\\\[\"\\\\])+\""; kind["instant"] = "\"" INSTANT "\""; kind["instant/null"] = or_null(kind["instant"])
  kind["seats"] = list_of(kind["seat"]); kind["people"] = map_of(kind["seat"], kind["text"]); kind["texts"] = list_of(kind["text"])
  kind["keys"] = list_of(object_of("alg ed25519|sm2 key hex")); kind["digest"] = object_of("bytes count name text sha256 hex sm3 hex")
  kind["tracks"] = list_of(object_of("aligned boolean at_ms integer channels? positive clock_rate positive codec opus|VP8|H264 height? positive kind audio|video number positive rtp_timestamp count source microphone|camera|screen ssrc count width? positive"))
  kind["counts"] = list_of(object_of("expected count frames count keyframes count lost count number positive received count recovered count"))
  kind["detail"] = map_of(kind["word"], "(" kind["text"] "|" kind["integer"] "|true|false|null)")
  kind["legs"] = map_of(kind["seat"], object_of("claimed? detail measured detail"))
  kind["beats"] = map_of(kind["stream"], object_of("bytes count sealed_to_ms count segments count"))
  kind["objects"] = list_of(object_of("name text retain_until instant/null version text"))
  kind["coverage"] = object_of("network count off count present count recorder count withdrawn count worker count")
  kind["accounts"] = map_of(kind["stream"], object_of("bytes count coverage coverage first_ms count last hex/null last_ms count parts count segments count"))
  form["open"] = object_of("epoch text format teleconsult-recording/[12] keys keys origin origin recorder text seats people witnesses? texts")
  form["consent"] = object_of("decision agreed|refused language text method tap|spoken|paper seat seat text_sha256 hex text_version text")
  form["withdraw"] = object_of("seat seat"); form["join"] = object_of("client? text seat seat"); form["leave"] = object_of("reason? text seat seat")
  form["start"] = object_of("from_ms count seats seats zero_mono_us integer")
  form["part"] = object_of("container webm|matroska from_ms count init digest part positive stream stream tracks tracks why start|codec|ssrc|timestamps|pause|tracks|recovered")
  form["segment"] = object_of("bytes count enc none|aes256gcm|sm4gcm forced boolean from_ms count keyframe boolean n positive name text part positive sha256 hex sm3 hex stream stream to_ms count tracks counts")
  form["key"] = object_of("key hex stream stream suite aes256gcm|sm4gcm under texts")
  form["sync"] = object_of("at_ms integer number positive part positive rtp_timestamp count skew_us integer stream stream")
  form["gap"] = object_of("cause network|recorder|worker|off|withdrawn from_ms count packets count/null stream stream to_ms count")
  form["event"] = object_of("detail? detail event word seat? seat state? text"); form["heartbeat"] = object_of("streams beats")
  form["recovered"] = object_of("epoch text reason text zero_mono_us integer/null"); form["degraded"] = object_of("code word over boolean")
  form["stamp"] = object_of("at instant authority text n positive object digest records positive")
  form["anchor"] = object_of("hash hex reference text seq count service text"); form["certificate"] = object_of("legs legs")
  form["stored"] = object_of("objects objects"); form["access"] = form["export"] = object_of("purpose text role text scope? text who text")
  form["close"] = object_of("end_ms count/null reason text records count streams accounts")
}
function well_formed(text) {
  if (!(type in form) || text !~ "^" form[type] "$") return 0
  gsub(/\\u..../, "x", text); gsub(/\\./, "x", text); gsub(/[\200-\277]/, "", text) # a character is one byte now
  for (rest = text; match(rest, /"[^"]*"/); rest = substr(rest, RSTART + RLENGTH)) if (RLENGTH > 1026) return 0
  gsub(/"[^"]*"/, "", text) # no number beyond 2^53 - 1
  while (match(text, /[0-9]+/)) { if (substr(text, RSTART, RLENGTH) + 0 > 9007199254740991) return 0; text = substr(text, RSTART + RLENGTH) }
  return 1
}

function broken(rule)        { print rule, FILENAME ":" FNR >(out (FILENAME ~ /^heads/ ? "/headed" : "/said")); failed = 1; exit }
function at_the_end(f, rule) { print rule, where >(out "/" f) }
function get(text, name) {      # the first string (without escapes), integer or word of this name; "" if there is none
  if (!match(text, "[{,]\"" name "\":(\"[^\"]*\"|-?[0-9]+|[a-z]+)")) return ""
  text = substr(text, RSTART + length(name) + 4, RLENGTH - length(name) - 4); gsub(/"/, "", text); return text
}
function of(name) { return get(body, name) }
function ms(at,   y, m, days) { # 2026-05-04T09:12:24.870Z in milliseconds since some day long ago
  y = substr(at, 1, 4) + 0; m = substr(at, 6, 2) + 0; if (m < 3) { y--; m += 12 }
  days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * m - 457) / 5) + substr(at, 9, 2)
  return (((days * 24 + substr(at, 12, 2)) * 60 + substr(at, 15, 2)) * 60 + substr(at, 18, 2)) * 1000 + substr(at, 21, 3)
}
function list(text, name, into,   k) { # the strings of an array
  if (!match(text, "\"" name "\":[[]")) return 0
  for (text = substr(text, RSTART + RLENGTH); match(text, /^,?"([^"\\]|\\.)*"/); text = substr(text, RLENGTH + 1)) {
    into[++k] = substr(text, 1, RLENGTH - 1); sub(/^,?"/, "", into[k])
  }
  return k + 0
}
function decided(seat, yes,   us) { # the first whole millisecond from mono - zero on; that difference may have no number of its own
  agreed[seat] = yes
  if (yes || !(seat in started) || (seat in gone)) return
  us = mono % 1000 - zero % 1000
  gone[seat] = (mono - mono % 1000) / 1000 - (zero - zero % 1000) / 1000 + (us > 0) + (us > 1000)
}
function seated(seat) { if (!(seat in came)) broken("SEAT-1") }
function permitted() {
  seated(seat)
  if (!(seat in started) || from < started[seat]) broken("CONSENT-2")
  if ((seat in gone) && from >= gone[seat]) broken("CONSENT-3")
}
function object(name, rule) {   # names are made here, never taken from a record
  if (of("name") != name || (name in wanted)) broken(rule)
  wanted[name] = 1; print of("bytes"), of("sha256"), of("sm3"), name >(out "/want")
}
function edge(stream, at, step, fate,   i) { # kept in order of time
  for (i = ++edges[stream]; i > 1 && when[stream, i - 1] > at; i--) {
    when[stream, i] = when[stream, i - 1]; steps[stream, i] = steps[stream, i - 1]; fates[stream, i] = fates[stream, i - 1]
  }
  when[stream, i] = at; steps[stream, i] = step; fates[stream, i] = fate
}
function span(fate) { edge(stream, from, 1, fate); edge(stream, to, -1, fate) }
function adds_up(track,   received) {
  received = get(track, "received") + 0
  return get(track, "expected") + 0 == received + get(track, "lost") && get(track, "recovered") + 0 <= received &&
    get(track, "keyframes") + 0 <= get(track, "frames") + 0 && index(tracks[stream], "\"number\":" get(track, "number") ",")
}

function number(text, name) {   # an integer member; "" if it is none
  if (!match(text, "[{,]\"" name "\":-?[0-9]+[,}]")) return ""
  return substr(text, RSTART + length(name) + 4, RLENGTH - length(name) - 5) + 0
}
function happened(   detail, told, event) { # what an event adds to the certificate of the call
  told = body
  if (match(told, "^[{]\"detail\":" kind["detail"] ",")) { detail = substr(told, 11, RLENGTH - 11); told = "{" substr(told, RLENGTH + 1) }
  if (!index(told, "\"seat\":")) return
  event = get(told, "event"); seat = get(told, "seat")
  if (event == "quality") call[seat, "samples"]++
  if (event == "claimed") claimed[seat] = detail == "" ? "{}" : detail
  if (event == "frozen") {
    call[seat, "frozen"]++; from = number(detail, "from_ms"); to = number(detail, "to_ms")
    if (from != "" && to != "" && to > from) call[seat, "frozen_ms"] += to - from
  }
}
function certified(   rest, leg, claims, seat, i, k, said, names) {
  k = split("packets lost recovered frozen frozen_ms missing_ms parts samples", names, " ")
  for (seat in claimed) claims++
  for (rest = substr(body, 10); match(rest, "^,?" kind["seat"] ":[{](\"claimed\":" kind["detail"] ",)?\"measured\":" kind["detail"] "[}]"); rest = substr(rest, RSTART + RLENGTH)) {
    leg = substr(rest, 1, RLENGTH); sub(/^,?"/, "", leg); seat = leg; sub(/".*/, "", seat); leg = substr(leg, length(seat) + 3)
    if (!(seat in came)) broken("CERT-1")
    legs[++count_of_legs] = seat; said[seat] = leg
  }
  for (i = 1; i <= count_of_legs; i++) {
    seat = legs[i]; leg = said[seat]
    if (match(leg, "^[{]\"claimed\":" kind["detail"] ",")) {
      if (!(seat in claimed) || substr(leg, 12, RLENGTH - 12) != claimed[seat]) broken("CERT-2")
      leg = "{" substr(leg, RLENGTH + 1); claims--
    } else if (seat in claimed) broken("CERT-2")
    for (k in names) if (match(leg, "[{,]\"" names[k] "\":") && (number(leg, names[k]) == "" || number(leg, names[k]) != call[seat, names[k]] + 0)) broken("CERT-2")
  }
  if (claims) broken("CERT-2")
}

function head(   f, statement, signed, was, file, one, alg, sig, k) {
  if (!match($0, "\"statement\":[{]\"at\":\"" INSTANT "\",\"head\":\"[0-9a-f]+\",\"head_sm3\":\"[0-9a-f]+\",\"origin\":\"([^\"\\\\]|\\\\.)*\",\"size\":[1-9][0-9]*,\"v\":1,\"visit\":\"[A-Za-z0-9_-]+\"[}][}]$")) broken("HEAD-1")
  statement = substr($0, RSTART + 12, RLENGTH - 13); signed = substr($0, 1, RSTART - 1); split(statement, f, "\"")
  if (!index(statement, "," origin ",\"size\":") || !index(statement, ",\"visit\":\"" visit "\"}")) broken("HEAD-2")
  was = size; size = get(statement, "size") + 0
  if (size < was) broken("HEAD-3")
  if (size > n) broken("HEAD-6")
  if (f[8] "" != hash[size]) broken("HEAD-4")
  if ($0 in judged) return # the very same line again says, and costs, nothing
  judged[$0]
  print size, f[12], FILENAME ":" FNR >(out "/sm3"); file = sprintf("%s/head/%07d", out, ++heads)
  if (!sub(/^[{]"signatures":[[]/, "", signed) || !sub(/],$/, ",", signed)) broken("HEAD-1")
  for (k = 0; match(signed, /^[{]"alg":"[a-z0-9]+","key":"[0-9a-f]+","sig":"[A-Za-z0-9+\/]*=?=?"[}],/); k++) {
    one = substr(signed, 1, RLENGTH); signed = substr(signed, RLENGTH + 1); alg = get(one, "alg"); sig = get(one, "sig")
    if (length(sig) % 4 || sig !~ /([AQgw]==|[AEIMQUYcgkosw048]=|[^=])$/) broken("HEAD-1")
    if (!((alg, get(one, "key")) in keys) || signs[alg] == heads) broken("HEAD-5")
    signs[alg] = heads; print sig >(file "." alg); close(file "." alg)
  }
  if (signed != "" && signed != ",") broken("HEAD-1")
  if (k != signers) broken("HEAD-5")
  printf "teleconsult-head-v1\n%s", statement >file; close(file)
}

BEGIN { INSTANT = "[0-9][0-9][0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9][0-9][0-9]Z"; forms() }
FNR == NR { hash[NR] = $1; next }
FILENAME ~ /^heads/ && FNR == 1 && batch++ && size != ends[batch - 1] { batch--; broken("LAYOUT-3") }
FILENAME ~ /^heads/ { head(); next }
FNR == 1 { batches++ }
{
  where = FILENAME ":" FNR; ends[batches] = n + 1
  tail = ",\"mono_us\":" kind["count"] ",\"prev\":" kind["hex"] ",\"seq\":" kind["count"] ",\"type\":\"[a-z]+\",\"v\":1,\"visit\":\"[A-Za-z0-9_-]+\"}$"
  if (length($0) > 65536 || $0 !~ ("^[{]\"at\":\"" INSTANT "\",\"body\":[{]") || !match($0, tail)) broken("FORM-2")
  body = substr($0, 41, RSTART - 41); split(substr($0, RSTART), t, /[",:}]+/); type = t[9]
  if (t[3] + 0 > 9007199254740991) broken("FORM-2")
  if (n == 0) visit = t[13]
  if (n == 0 && type != "open") broken("CHAIN-1")
  if (t[7] != n) broken("CHAIN-2")
  if (t[5] "" != (n ? hash[n] : seed)) broken("CHAIN-3")
  if (t[13] "" != visit || (n && type == "open")) broken("CHAIN-4")
  at = ms(substr($0, 8)); drift = (at - told[n]) * 1000 - (t[3] - mono)
  if (n && type != "recovered" && t[3] + 0 < mono) broken("TIME-1")
  if (n && type != "recovered" && (drift > 2000000 || drift < -2000000)) broken("TIME-2")
  if (closed) broken("CLOSE-2")
  if (!well_formed(body)) broken("FORM-3")
  if (has_certificate && type != "close") broken("CERT-1")
  told[++n] = at; mono = t[3] + 0
  stream = seat = of("stream"); sub(/[.]screen$/, "", seat); from = of("from_ms") + 0; to = of("to_ms") + 0
}
type == "open" {
  rest = substr(body, index(body, "\"seats\":{") + 9); gsub(/\\./, "", rest); count = split(rest, seats, "\"")
  for (i = 2; i < count && seats[i - 1] !~ /}/; i += 4) came[seats[i]]
  count = list(body, "witnesses", seats); for (i = 1; i <= count; i++) print seats[i] >(out "/witnesses")
  match(body, /"origin":"([^"\\]|\\.)*"/); origin = substr(body, RSTART, RLENGTH)
  for (rest = body; match(rest, /[{]"alg":"[a-z0-9]+","key":"[0-9a-f]+"[}]/); rest = substr(rest, RSTART + RLENGTH)) {
    key = substr(rest, RSTART, RLENGTH); keys[get(key, "alg"), get(key, "key")]; signers++
    print get(key, "alg"), get(key, "key") >(out "/keys")
  }
}
type == "event" { happened() }
type == "certificate" { certified(); has_certificate = 1 }
type == "join" { came[of("seat")] }
type == "consent" || type == "withdraw" { seated(of("seat")) }
type == "consent" || type == "withdraw" { decided(of("seat"), of("decision") == "agreed") }
type == "recovered" {
  if ((of("zero_mono_us") == "null") != (zero == "")) broken("START-1")
  if (of("zero_mono_us") != "null") zero = of("zero_mono_us")
}
type == "start" {
  if (zero == "" ? from : of("zero_mono_us") != zero) broken("START-1")
  zero = of("zero_mono_us"); count = list(body, "seats", seats)
  for (i = 1; i <= count; i++) if ((seat = seats[i]) != "") {
    seated(seat)
    if (!agreed[seat]) broken("CONSENT-1")
    if (!(seat in started) || (seat in gone)) started[seat] = from
    delete gone[seat]; if (!(seat in first)) first[seat] = from
    streams[seat] = 1
  }
}
type == "key" { seated(seat); sealed[stream] = of("suite") }
type == "anchor" { if (of("seq") + 0 >= n - 1 || of("hash") != hash[of("seq") + 1]) broken("ANCHOR-1") }
type == "stamp" {
  if (of("n") != ++stamps || of("records") + 0 < covered || of("records") + 0 >= n || !(of("records") in told)) broken("STAMP-1")
  covered = of("records") + 0; object(sprintf("stamps/%06d.tlog-proof", stamps), "STAMP-1")
  if (told[covered] > ms(of("at")) + 120000 || told[n] < ms(of("at")) - 120000) broken("STAMP-4")
  print sprintf("stamps/%06d.tlog-proof", stamps), covered, of("at") >(out "/stamps")
}
type == "part" {
  permitted(); streams[stream] = 1; call[seat, "parts"]++; tracks[stream] = body; runs[stream] = 0
  ext[stream] = of("container") == "webm" ? "webm" : "mkv"
  if (of("part") != ++parts[stream]) broken("PART-1")
  if ((ext[stream] == "mkv") != (index(body, "\"codec\":\"H264\"") > 0)) broken("PART-3")
  object(sprintf("streams/%s/part-%03d/init.%s", stream, parts[stream], ext[stream]), "PART-1")
}
type == "segment" {
  permitted()
  if (of("part") != parts[stream] || of("n") != ++runs[stream]) broken("SEG-3")
  if (of("enc") != ((stream in sealed) ? sealed[stream] : "none")) broken("ENC-1")
  object(sprintf("streams/%s/part-%03d/seg-%06d.%s", stream, parts[stream], runs[stream], ext[stream]), "SEG-4")
  if (from >= to || from < reached[stream] + 0) broken("SEG-5")
  count = split(substr(body, index(body, "\"tracks\":[")), counts, "}")
  for (i = 1; i <= count; i++) if (index(counts[i], "{")) {
    if (!adds_up(counts[i])) broken("SEG-6")
    call[seat, "packets"] += get(counts[i], "expected"); call[seat, "lost"] += get(counts[i], "lost"); call[seat, "recovered"] += get(counts[i], "recovered")
  }
  reached[stream] = to; segments[stream]++; bytes[stream] += of("bytes"); last[stream] = of("sha256"); span("present"); if (to > end) end = to
}
type == "gap" {
  if (from >= to) broken("GAP-1")
  seated(seat); streams[stream] = 1; span(of("cause")); if (to > end) end = to
  if (of("cause") ~ /^(network|worker|recorder)$/) call[seat, "missing_ms"] += to - from
}
type == "close" { closed = body; last_at = $0 }

function settle(stream, told,   first_ms, last_ms, i, d, kept, lost, cause, sum, names, k, whole) {
  # Walk along the stream's edges and count each millisecond once: a gap's cause, else present.
  first_ms = get(told, "first_ms") + 0; last_ms = get(told, "last_ms") + 0
  if (closed) { edge(stream, first_ms, 1, "span"); edge(stream, last_ms, -1, "span") }
  for (i = 1; i <= edges[stream]; i++) {
    d = i > 1 ? when[stream, i] - when[stream, i - 1] : 0
    if (d && lost > 1) at_the_end("account", "GAP-1")
    if (d && closed && (kept + lost > 0) != (inside > 0)) at_the_end("close", "COV-1")
    if (d && kept + lost) sum[lost ? cause : "present"] += d
    if (fates[stream, i] == "span") inside += steps[stream, i]
    else if (fates[stream, i] == "present") kept += steps[stream, i]
    else { lost += steps[stream, i]; if (steps[stream, i] > 0) cause = fates[stream, i] }
  }
  if (!closed) return
  if (get(told, "parts") + 0 != parts[stream] + 0 || get(told, "segments") + 0 != segments[stream] + 0 || get(told, "bytes") + 0 != bytes[stream] + 0 ||
    get(told, "last") != (segments[stream] ? last[stream] : "null")) at_the_end("account", "CLOSE-3")
  k = split("network off present recorder withdrawn worker", names, " ")
  for (i = 1; i <= k; i++) { whole += sum[names[i]]; if (get(told, names[i]) + 0 != sum[names[i]] + 0) at_the_end("close", "COV-2") }
  if (whole != last_ms - first_ms) at_the_end("close", "COV-2")
  end_ms = get(closed, "end_ms") + 0
  if (stream ~ /[.]/ ? first_ms > last_ms || last_ms > end_ms : !(stream in first) || first_ms != first[stream] || last_ms != end_ms) at_the_end("close", "COV-3")
}
END {
  if (failed) exit
  if (closed) print n, hash[n], substr(last_at, 8, 24) >(out "/ended")
  if (size != n) print "HEAD-7", where >(out "/headed")
  if (!closed) at_the_end("close", "CLOSE-1")
  else if (get(closed, "records") + 0 != n) at_the_end("account", "CLOSE-3")
  if (closed && (get(closed, "end_ms") == "null" ? zero != "" || end : zero == "" || get(closed, "end_ms") + 0 < end)) at_the_end("account", "CLOSE-4")
  for (stream in streams) {
    mine = "\"" stream "\":{\"bytes\":"; place = index(closed, mine); mine = substr(closed, place + length(mine) - 8)
    if (closed && (!place || !match(mine, /^[^{]*[{][^}]*}[^}]*}/))) at_the_end("account", "CLOSE-3")
    settle(stream, closed ? "{" substr(mine, 1, RLENGTH) : ""); known++
  }
  if (closed && gsub(/":[{]"bytes":/, "", closed) != known + 0) at_the_end("account", "CLOSE-3")
}
