import type { Doctor, Patient } from '../../core/wire';
import type { DoctorWords as Words } from '../../words/kinds';

export function patientFacts(patient: Patient, w: Words): string {
  const sex = patient.sex === 'female' ? w.female : patient.sex === 'male' ? w.male : null;
  return [patient.age === null ? null : w.age(patient.age), sex].filter((each) => each !== null).join(' · ');
}

export function patientName(patient: Patient | undefined, w: Words): string {
  return patient?.name ?? w.someone;
}

export function doctorLine(doctor: Doctor | undefined, w: Words): { name: string; department: string } {
  return { name: doctor?.name ? w.doctorOf(doctor.name) : '', department: doctor?.department ?? '' };
}
