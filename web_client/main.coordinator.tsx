/** The coordinator's page: ports and core put together, and the view on top. */
import './style/tokens.css';
import './style/base.css';
import './style/coordinator.css';
import './ports/focus';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { CoordinationDesk } from './core/coordination';
import { chime, unlock, warm } from './ports/chime';
import { clock } from './ports/clock';
import { coordination } from './ports/coordination';
import { takeToken } from './ports/place';
import { preferences, switchLanguage } from './ports/preferences';
import { CoordinatorPageView } from './views/coordinator/page';
import { Said } from './views/parts/said';
import { useSnapshot } from './views/parts/snapshot';
import { common as enCommon } from './words/en/common';
import { coordinator as enOwn } from './words/en/coordinator';
import { common as zhCommon } from './words/zh/common';
import { coordinator as zhOwn } from './words/zh/coordinator';

const WORDS = { zh: { ...zhCommon, ...zhOwn }, en: { ...enCommon, ...enOwn } };

const token = takeToken('o');
const desk = new CoordinationDesk(coordination(token ?? ''), clock);

function Page() {
  const now = useSnapshot(desk);
  const { language } = useSnapshot(preferences);
  const w = WORDS[language];
  const escalated = now.visits.filter((each) => each.escalated).map((each) => each.visit);
  const urgent = escalated.length;
  document.title = urgent === 0 ? w.coTitle : `(${urgent}) ${w.coTitle}`;
  const who = escalated.join(' ');
  const [known, setKnown] = useState('');
  useEffect(() => {
    if (escalated.some((visit) => !known.split(' ').includes(visit))) chime();
    setKnown(who);
  }, [who]);
  return (
    <>
      <CoordinatorPageView
        now={token === null ? { ...now, failure: 'refused' } : now}
        w={w}
        act={{ choose: (visit) => desk.choose(visit), reassign: (visit, doctor) => void desk.reassign(visit, doctor), review: (rating, decision) => void desk.review(rating, decision), language: switchLanguage }}
      />
      <Said polite="" urgent={urgent === 0 ? '' : `${w.coHelp} ${urgent}`} />
    </>
  );
}

warm();
addEventListener('pointerdown', unlock, { once: true });
addEventListener('keydown', unlock, { once: true });

const root = document.getElementById('page');
if (root !== null) render(<Page />, root);
if (token !== null) void desk.open();
