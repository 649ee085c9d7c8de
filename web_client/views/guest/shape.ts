/** What a guest's views are given: what a patient's are, with the words of a guest. */
import type { GuestWords } from '../../words/kinds';
import type { PatientGiven } from '../patient/shape';

export type GuestGiven = PatientGiven & { readonly w: GuestWords };
