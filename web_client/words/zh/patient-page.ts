/** All the words of the patient's page in this language: one chunk, loaded alone. */
import { common } from './common';
import { patient } from './patient';
import { visit } from './visit';

export const words = { ...common, ...visit, ...patient };
