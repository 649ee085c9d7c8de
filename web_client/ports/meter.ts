/** How loud a microphone is, 0–1, at most four times a second. */
export function meter(track: MediaStreamTrack, tell: (level: number) => void): () => void {
  const Context = window.AudioContext;
  if (Context === undefined) return () => undefined;
  const context = new Context();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    if (context.state === 'suspended') void context.resume();
    analyser.getFloatTimeDomainData(samples);
    const rms = Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length);
    // −60 dB is silence to a person, −10 dB is close speech.
    tell(rms === 0 ? 0 : Math.min(1, Math.max(0, (20 * Math.log10(rms) + 60) / 50)));
  }, 250);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
