/** 中文，每个页面都用到。每句话先说是什么，再说怎么办。 */
export const common = {
  other: 'English',
  otherLang: 'en',
  brand: '云诊室',
  age: (years: number) => `${years} 岁`,
  elder: '长辈模式',
  bigger: '字再大些',
  closedExpired: '这个链接过期了',
  camera: '镜头',
  end: '结束',
  relations: { mother: '妈妈', father: '爸爸', grandparent: '祖辈', guardian: '监护人', child: '子女', spouse: '老伴', sibling: '兄弟姐妹', other: '其他' },
};
