// What held the page's own thread, and which script did: Long Tasks, and Long Animation Frames, which name them.
window.__held = { tasks: [], frames: [], shifts: [], marks: [] };
window.__mark = (name) => window.__held.marks.push({ name, at: performance.now() });
const watch = (type, take) => {
  try {
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  } catch {
    // This browser does not know the kind.
  }
};
watch('longtask', (each) => window.__held.tasks.push({ at: each.startTime, ms: each.duration, where: each.attribution?.[0]?.containerType ?? '' }));
watch('layout-shift', (each) => {
  if (!each.hadRecentInput) window.__held.shifts.push({ at: each.startTime, by: each.value, of: each.sources.map(({ node }) => `${node?.nodeName ?? ''}.${node?.className ?? ''}`) });
});
watch('long-animation-frame', (each) => window.__held.frames.push({
  at: each.startTime, ms: each.duration, blocking: each.blockingDuration,
  before_render: each.renderStart ? each.renderStart - each.startTime : each.duration,
  style_and_layout: each.styleAndLayoutStart ? each.startTime + each.duration - each.styleAndLayoutStart : 0,
  scripts: each.scripts.map((one) => ({
    ms: one.duration, by: one.invoker, kind: one.invokerType, file: one.sourceURL.split('/').pop(), name: one.sourceFunctionName,
    at: one.sourceCharPosition, layout: one.forcedStyleAndLayoutDuration, pause: one.pauseDuration,
  })),
}));
