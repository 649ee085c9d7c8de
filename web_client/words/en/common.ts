import type { CommonWords } from '../kinds';

export const common: CommonWords = {
  other: '中文',
  otherLang: 'zh-CN',
  brand: 'Teleconsult',
  age: (years) => `age ${years}`,
  elder: 'Large text',
  bigger: 'Larger still',
  closedExpired: 'This link has expired',
  camera: 'Camera',
  end: 'End',
  relations: { mother: 'Mother', father: 'Father', grandparent: 'Grandparent', guardian: 'Guardian', child: 'Son or daughter', spouse: 'Husband or wife', sibling: 'Brother or sister', other: 'Other' },
};
