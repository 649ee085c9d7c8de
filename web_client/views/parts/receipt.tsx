/** A receipt to take home: a file to save and a code to photograph. Loaded when a recorded visit is over. */
import { useEffect, useState } from 'preact/hooks';
import { qr } from '../../core/qr';
import type { Receipt as Made } from '../../core/receipt';
import type { VisitWords as Words } from '../../words/kinds';
import { Button } from './button';

function Code({ text, label }: { text: string; label: string }) {
  const rows = qr(text);
  if (rows === null) return null;
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : []))).join('');
  const side = rows.length + 8;
  return (
    <svg viewBox={`0 0 ${side} ${side}`} width="220" height="220" role="img" aria-label={label} data-qr={text} shape-rendering="crispEdges">
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

/** What a tap needs: where it comes from, where it goes. */
export interface ReceiptActs {
  ask(): Promise<Made | null>;
  save(made: Made): void;
}

export function Receipt({ ask, save, w }: ReceiptActs & { w: Words }) {
  const [made, set] = useState<Made | null | 'coming'>('coming');
  useEffect(() => {
    let here = true;
    void ask().then((got) => here && set(got));
    return () => {
      here = false;
    };
  }, []);
  if (made === null) return null;
  return (
    <section class="hero receipt" aria-label={w.receiptTitle} data-receipt={made === 'coming' ? 'coming' : 'made'}>
      <h2>{w.receiptTitle}</h2>
      {made === 'coming' ? (
        <p class="quiet">{w.receiptComing}</p>
      ) : (
        <>
          <p>{w.receiptWhy}</p>
          <Button act="receipt" kind="soft" onTap={() => save(made)}>
            {w.receiptSave}
          </Button>
          <Code text={made.short} label={w.receiptCode} />
          <p class="quiet small">{w.receiptCode}</p>
        </>
      )}
    </section>
  );
}
