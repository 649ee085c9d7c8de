/** All the words of a guest's page in this language: the patient's, some of them said otherwise, and its own. */
import { guest, instead } from './guest';
import { words as patient } from './patient-page';

export const words = { ...patient, ...instead, ...guest };
