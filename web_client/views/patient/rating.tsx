/** How was it: five words, a few more if one likes, and no name. */
import { useState } from 'preact/hooks';
import { Button, land } from '../parts/button';
import type { PatientGiven } from './shape';

export function Rating({ given: { now, w, act } }: { given: PatientGiven }) {
  const [stars, setStars] = useState(0);
  const [text, setText] = useState('');
  return now.rated ? (
    <p class="state good" ref={land} tabIndex={-1} data-rated>
      {w.ratingThanks}
    </p>
  ) : (
    <section class="hero rating" aria-label={w.ratingAsk}>
      <h2>{w.ratingAsk}</h2>
      <div class="stars" role="group" aria-label={w.ratingAsk}>
        {w.ratings.map((word, at) => (
          <Button key={word} act={`stars-${at + 1}`} kind="soft" pressed={stars === at + 1} onTap={() => setStars(at + 1)}>
            {word}
          </Button>
        ))}
      </div>
      {stars > 0 && (
        <>
          <label class="choose">
            <span>{w.ratingMore}</span>
            <textarea data-field="rating" maxLength={500} rows={2} value={text} onInput={(event) => setText(event.currentTarget.value)} />
          </label>
          <Button act="rate" kind="main" disabled={now.busy} onTap={() => act.rate(stars, text)}>
            {w.ratingSend}
          </Button>
        </>
      )}
      <p class="quiet">{w.ratingAnonymous}</p>
    </section>
  );
}
