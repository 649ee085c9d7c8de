/** The words as types: Chinese says which there are, and a language that lacks one does not compile. */
import type { auditor } from './zh/auditor';
import type { check } from './zh/check';
import type { common } from './zh/common';
import type { coordinator } from './zh/coordinator';
import type { doctor } from './zh/doctor';
import type { guest } from './zh/guest';
import type { patient } from './zh/patient';
import type { visit } from './zh/visit';

type Loose<T> = T extends (...given: infer G) => infer R
  ? (...given: G) => Loose<R>
  : T extends string
    ? string
    : T extends readonly [string, string, string]
      ? readonly [string, string, string]
      : { [K in keyof T]: Loose<T[K]> };

export type CommonWords = { [K in keyof typeof common]: Loose<(typeof common)[K]> };
export type OwnVisitWords = { [K in keyof typeof visit]: Loose<(typeof visit)[K]> };
export type OwnPatientWords = { [K in keyof typeof patient]: Loose<(typeof patient)[K]> };
export type OwnDoctorWords = { [K in keyof typeof doctor]: Loose<(typeof doctor)[K]> };
export type OwnAuditorWords = { [K in keyof typeof auditor]: Loose<(typeof auditor)[K]> };
export type OwnGuestWords = { [K in keyof typeof guest]: Loose<(typeof guest)[K]> };
export type OwnCheckWords = { [K in keyof typeof check]: Loose<(typeof check)[K]> };
export type VisitWords = CommonWords & OwnVisitWords;
export type CheckWords = CommonWords & OwnCheckWords;
export type PatientWords = VisitWords & OwnPatientWords;
export type GuestWords = PatientWords & OwnGuestWords;
export type DoctorWords = VisitWords & OwnDoctorWords;
export type OwnCoordinatorWords = { [K in keyof typeof coordinator]: Loose<(typeof coordinator)[K]> };
export type CoordinatorWords = CommonWords & OwnCoordinatorWords;
export type AuditorWords = CommonWords & OwnAuditorWords;
