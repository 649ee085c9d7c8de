import type { ComponentChildren } from 'preact';
import type { Doctor, Patient } from '../../core/wire';
import type { PatientWords as Words } from '../../words/kinds';
import { Icon } from '../parts/icon';
import type { PatientGiven } from './shape';

export function doctorName(doctor: Doctor | undefined, w: Words): string {
  return doctor?.name ? w.doctorOf(doctor.name) : w.someDoctor;
}

export function patientLine(patient: Patient, w: Words): string {
  const sex = patient.sex === 'female' ? w.female : patient.sex === 'male' ? w.male : null;
  return [patient.age === null ? null : w.age(patient.age), sex].filter((each) => each !== null).join(' · ');
}

export function WhoDoctor({ doctor, w }: { doctor: Doctor | undefined; w: Words }) {
  const lines = [doctor?.department, doctor?.title].filter(Boolean).join(' · ');
  return (
    <div class="who">
      <div class="face" aria-hidden="true">
        <Icon name="person" />
      </div>
      <div>
        <b>{doctorName(doctor, w)}</b>
        {lines !== '' && <span>{lines}</span>}
        {doctor?.licence && <span>{w.licence(doctor.licence)}</span>}
      </div>
    </div>
  );
}

/** The two small switches on top of each page: text size and language. */
export function Tools({ w, act, mode }: Pick<PatientGiven, 'w' | 'act' | 'mode'>) {
  return (
    <header class="tools">
      <button type="button" class={`chip ${mode === 'normal' ? '' : 'on'}`} data-act="mode" aria-pressed={mode !== 'normal'} onClick={act.mode}>
        <Icon name="letters" />
        <span>{mode === 'elder' ? w.bigger : w.elder}</span>
      </button>
      <button type="button" class="chip" data-act="language" lang={w.otherLang} onClick={act.language}>
        <span>{w.other}</span>
      </button>
    </header>
  );
}

export function Call120({ w, glass }: { w: Words; glass?: boolean }) {
  return (
    <a class={glass ? 'em glassy' : 'em'} href="tel:120" data-act="120">
      <Icon name="phone" />
      <span>{w.call120}</span>
    </a>
  );
}

/** A page of one column: tools, what matters, and the buttons at the foot. */
export function Sheet({ given, page, children, foot }: { given: PatientGiven; page: string; children: ComponentChildren; foot?: ComponentChildren }) {
  return (
    <main class="sheet" data-page={page}>
      <Tools w={given.w} act={given.act} mode={given.mode} />
      <div class="body">{children}</div>
      {foot && <div class="dock">{foot}</div>}
    </main>
  );
}
