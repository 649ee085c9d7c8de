/** A receipt to take home: a file to save and a code to photograph. Loaded when a recorded visit is over. */
import { useEffect, useState } from 'preact/hooks';
import { qr } from '../../core/qr';
import type { Receipt as Made } from '../../core/receipt';
import { Button } from './button';

const WORDS = {
  zh: {
    title: '录像回执',
    why: '保存它，以后就能证明这次录像没有被改过、也没有被删掉。',
    save: '保存回执',
    coming: '正在生成回执…',
    code: '也可以拍下这个码',
  },
  en: {
    title: 'Receipt of the recording',
    why: 'Keep it: it shows later that this recording was neither changed nor removed.',
    save: 'Save receipt',
    coming: 'The receipt is being made…',
    code: 'Or take a picture of this code',
  },
};

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

/** What a tap needs: where it comes from, where it goes, in which language it is said. */
export interface ReceiptActs {
  ask(): Promise<Made | null>;
  save(made: Made): void;
  readonly language: 'zh' | 'en';
}

export function Receipt({ ask, save, language }: ReceiptActs) {
  const [made, set] = useState<Made | null | 'coming'>('coming');
  useEffect(() => {
    let here = true;
    void ask().then((got) => here && set(got));
    return () => {
      here = false;
    };
  }, []);
  if (made === null) return null;
  const w = WORDS[language];
  return (
    <section class="hero receipt" aria-label={w.title} data-receipt={made === 'coming' ? 'coming' : 'made'}>
      <h2>{w.title}</h2>
      {made === 'coming' ? (
        <p class="quiet">{w.coming}</p>
      ) : (
        <>
          <p>{w.why}</p>
          <Button act="receipt" kind="soft" onTap={() => save(made)}>
            {w.save}
          </Button>
          <Code text={made.short} label={w.code} />
          <p class="quiet small">{w.code}</p>
        </>
      )}
    </section>
  );
}
