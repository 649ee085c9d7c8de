# What the records and the heads of a recording say (FORMAT.md §3 to §8). verify.sh runs it:
#   awk -v seed=HEX -v out=FOLDER -f verify.awk HASHES records/*.jsonl heads/*.jsonl
# HASHES has the SHA-256 of each record, a line each. It writes into FOLDER the first broken rule of its kind: `said` (records),
# `headed` (heads), `account` (found at the end), `close` (complete alone); and what is left to check: `keys` (algorithm,
# fingerprint), `witnesses` (their verifier keys), `want` (bytes, SHA-256, SM3, name of each object), `sm3` (records, SM3, place of each head), head/N (what
# head N signs), head/N.ALG (its signature in base64).
# A member's name comes right after `{"` or `,"`; within a JSON string that quotation mark would be escaped.

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
function list(text, name, into) { # the strings of an array
  if (!match(text, "\"" name "\":[[][^]]*")) return 0
  text = substr(text, RSTART + length(name) + 5, RLENGTH - length(name) - 5); return split(text, into, /[",]+/)
}
function decided(seat, yes) {
  agreed[seat] = yes
  if (!yes && (seat in started) && !(seat in gone)) gone[seat] = mono - zero
}
function permitted() {
  if (!(seat in started) || from < started[seat]) broken("CONSENT-2")
  if ((seat in gone) && from * 1000 >= gone[seat]) broken("CONSENT-3")
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
  return get(track, "expected") == received + get(track, "lost") && get(track, "recovered") + 0 <= received &&
    get(track, "keyframes") + 0 <= get(track, "frames") + 0 && index(tracks[stream], "\"number\":" get(track, "number") ",")
}

function head(   f, statement, signed, was, file, one, alg, sig, k) {
  if (!match($0, /"statement":[{]"at":"....-..-..T..:..:..[.]...Z","head":"[0-9a-f]+","head_sm3":"[0-9a-f]+","origin":"([^"\\]|\\.)*","size":[1-9][0-9]*,"v":1,"visit":"[A-Za-z0-9_-]+"[}][}]$/)) broken("HEAD-1")
  statement = substr($0, RSTART + 12, RLENGTH - 13); signed = substr($0, 1, RSTART - 1); split(statement, f, "\"")
  if (!index(statement, "," origin ",\"size\":") || !index(statement, ",\"visit\":\"" visit "\"}")) broken("HEAD-2")
  was = size; size = get(statement, "size") + 0
  if (size < was) broken("HEAD-3")
  if (size > n) broken("HEAD-6")
  if (f[8] != hash[size]) broken("HEAD-4")
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

FNR == NR { hash[NR] = $1; next }
FILENAME ~ /^heads/ && FNR == 1 && batch++ && size != ends[batch - 1] { batch--; broken("LAYOUT-3") }
FILENAME ~ /^heads/ { head(); next }
FNR == 1 { batches++ }
{
  where = FILENAME ":" FNR; ends[batches] = n + 1
  tail = ",\"mono_us\":[0-9]+,\"prev\":\"[0-9a-f]+\",\"seq\":[0-9]+,\"type\":\"[a-z]+\",\"v\":1,\"visit\":\"[A-Za-z0-9_-]+\"}$"
  if (length($0) > 65536 || $0 !~ /^[{]"at":"....-..-..T..:..:..[.]...Z","body":[{]/ || !match($0, tail)) broken("FORM-2")
  body = substr($0, 41, RSTART - 41); split(substr($0, RSTART), t, /[",:}]+/); type = t[9]
  if (n == 0) visit = t[13]
  if (n == 0 && type != "open") broken("CHAIN-1")
  if (t[7] != n) broken("CHAIN-2")
  if (t[5] != (n ? hash[n] : seed)) broken("CHAIN-3")
  if (t[13] != visit || (n && type == "open")) broken("CHAIN-4")
  drift = ms(substr($0, 8)) - t[3] / 1000
  if (n && type != "recovered" && t[3] + 0 < mono) broken("TIME-1")
  if (n && type != "recovered" && (drift - before > 2000 || before - drift > 2000)) broken("TIME-2")
  if (closed) broken("CLOSE-2")
  n++; mono = t[3] + 0; before = drift
  stream = seat = of("stream"); sub(/[.]screen$/, "", seat); from = of("from_ms") + 0; to = of("to_ms") + 0
}
type == "open" {
  count = list(body, "witnesses", seats); for (i = 1; i <= count; i++) print seats[i] >(out "/witnesses")
  match(body, /"origin":"([^"\\]|\\.)*"/); origin = substr(body, RSTART, RLENGTH)
  for (rest = body; match(rest, /[{]"alg":"[a-z0-9]+","key":"[0-9a-f]+"[}]/); rest = substr(rest, RSTART + RLENGTH)) {
    key = substr(rest, RSTART, RLENGTH); keys[get(key, "alg"), get(key, "key")]; signers++
    print get(key, "alg"), get(key, "key") >(out "/keys")
  }
}
type == "consent" || type == "withdraw" { decided(of("seat"), of("decision") == "agreed") }
type == "recovered" {
  if ((of("zero_mono_us") == "null") != (zero == "")) broken("START-1")
  if (of("zero_mono_us") != "null") zero = of("zero_mono_us")
}
type == "start" {
  if (zero == "" ? from : of("zero_mono_us") != zero) broken("START-1")
  zero = of("zero_mono_us"); count = list(body, "seats", seats)
  for (i = 1; i <= count; i++) if ((seat = seats[i]) != "") {
    if (!agreed[seat]) broken("CONSENT-1")
    if (!(seat in started) || (seat in gone)) started[seat] = from
    delete gone[seat]; if (!(seat in first)) first[seat] = from
    streams[seat] = 1
  }
}
type == "part" {
  permitted(); streams[stream] = 1; tracks[stream] = body; runs[stream] = 0
  ext[stream] = of("container") == "webm" ? "webm" : "mkv"
  if (of("part") != ++parts[stream]) broken("PART-1")
  object(sprintf("streams/%s/part-%03d/init.%s", stream, parts[stream], ext[stream]), "PART-1")
}
type == "segment" {
  permitted()
  if (of("part") != parts[stream] || of("n") != ++runs[stream]) broken("SEG-3")
  object(sprintf("streams/%s/part-%03d/seg-%06d.%s", stream, parts[stream], runs[stream], ext[stream]), "SEG-4")
  if (from >= to || from < reached[stream] + 0) broken("SEG-5")
  count = split(substr(body, index(body, "\"tracks\":[")), counts, "}")
  for (i = 1; i <= count; i++) if (index(counts[i], "{") && !adds_up(counts[i])) broken("SEG-6")
  reached[stream] = to; segments[stream]++; bytes[stream] += of("bytes"); last[stream] = of("sha256"); span("present")
}
type == "gap" {
  if (from >= to) broken("GAP-1")
  streams[stream] = 1; span(of("cause"))
}
type == "close" { closed = body }

function settle(stream, told,   first_ms, last_ms, i, d, kept, lost, cause, sum, names, k) {
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
  if (get(told, "parts") != parts[stream] + 0 || get(told, "segments") != segments[stream] + 0 || get(told, "bytes") != bytes[stream] + 0 ||
    get(told, "last") != (segments[stream] ? last[stream] : "null")) at_the_end("account", "CLOSE-3")
  k = split("network off present recorder withdrawn worker", names, " ")
  for (i = 1; i <= k; i++) if (get(told, names[i]) != sum[names[i]] + 0) at_the_end("close", "COV-2")
  end_ms = get(closed, "end_ms") + 0
  if (stream ~ /[.]/ ? first_ms > last_ms || last_ms > end_ms : first_ms != first[stream] || last_ms != end_ms) at_the_end("close", "COV-3")
}
END {
  if (failed) exit
  if (size != n) print "HEAD-7", where >(out "/headed")
  if (!closed) at_the_end("close", "CLOSE-1")
  else if (get(closed, "records") != n) at_the_end("account", "CLOSE-3")
  for (stream in streams) {
    if (closed && get(closed, "end_ms") == "null" && (stream in first)) at_the_end("account", "CLOSE-3")
    if (closed && !match(closed, "\"" stream "\":[{]\"bytes\":[^{]*[{][^}]*}[^}]*}")) at_the_end("account", "CLOSE-3")
    settle(stream, closed ? "{" substr(closed, RSTART + length(stream) + 4, RLENGTH - length(stream) - 4) : ""); known++
  }
  if (closed && gsub(/"coverage":/, "", closed) != known + 0) at_the_end("account", "CLOSE-3")
}
