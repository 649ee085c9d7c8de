# The log has the record `close`, if there is a proof of it (LOG). Who cosigned is left in $work/witnessed.
. "$parts/words.sh"
proof=log/close.tlog-proof
[ -f "$proof" ] || exit 0
[ -f "$work/ended" ] || broken LOG-1 "$proof"

read -r last _ <"$work/ended"
rule=$(sh "$parts/proof.sh" "$proof" "$work/line/$(printf %07d "$last")" "$work/witnesses") || broken "$rule" "$proof"
mv "$work/cosigned-by" "$work/witnessed"
