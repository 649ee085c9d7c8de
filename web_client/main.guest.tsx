/** A third party's page: specialist, village doctor, interpreter, family. */
import { GuestVisit } from './core/guest';
import { start } from './start';
import { GuestPageView } from './views/guest/page';
import { saying } from './views/guest/spoken';

start({
  letter: 'g',
  load: { zh: () => import('./words/zh/guest-page').then(({ words }) => words), en: () => import('./words/en/guest-page').then(({ words }) => words) },
  Visit: GuestVisit,
  View: GuestPageView,
  saying,
});
