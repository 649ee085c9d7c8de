/** The patient's page. */
import { PatientVisit } from './core/patient';
import { start } from './start';
import { PatientPageView } from './views/patient/page';
import { saying } from './views/patient/spoken';

start({
  letter: 'p',
  load: { zh: () => import('./words/zh/patient-page').then(({ words }) => words), en: () => import('./words/en/patient-page').then(({ words }) => words) },
  Visit: PatientVisit,
  View: PatientPageView,
  saying,
});
