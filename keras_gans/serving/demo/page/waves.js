// Sounds: WAV files as the server sends them, heard and drawn.

const COLUMNS = 400; // of a waveform that is drawn
let context = null; // of sound; made by the first that is heard

/** The bytes of a data URL. */
function bytesOf(address) {
  const text = atob(address.slice(address.indexOf(",") + 1));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** A WAV file of 16 bits, in a data URL, as an AudioBuffer. */
export function readSound(address) {
  const data = new DataView(bytesOf(address).buffer);
  const channels = data.getUint16(22, true);
  let start = 12;
  while (data.getUint32(start) !== 0x64617461) start += 8 + data.getUint32(start + 4, true);
  const count = data.getUint32(start + 4, true) / 2 / channels;
  const buffer = new AudioBuffer({
    length: count, numberOfChannels: channels, sampleRate: data.getUint32(24, true),
  });
  for (let c = 0; c < channels; c++) {
    const values = buffer.getChannelData(c);
    for (let i = 0; i < count; i++) {
      values[i] = data.getInt16(start + 8 + 2 * (channels * i + c), true) / 32768;
    }
  }
  return buffer;
}

/** Lets sounds be heard: browsers allow none before a page is used. */
export function wake() {
  context ??= new AudioContext({ latencyHint: "interactive" });
  if (context.state === "suspended") context.resume();
}

/** Plays an AudioBuffer at once, over what is still heard. */
export function play(buffer, volume) {
  wake();
  const [source, gain] = [context.createBufferSource(), context.createGain()];
  source.buffer = buffer;
  gain.gain.value = volume;
  source.connect(gain).connect(context.destination);
  source.start();
}

/** The waveform of an AudioBuffer's first channel: the `d` of a path in 400 x 100. */
export function outline(buffer) {
  const values = buffer.getChannelData(0);
  const columns = Math.min(COLUMNS, values.length);
  const [above, below] = [[], []];
  for (let x = 0; x < columns; x++) {
    const from = Math.floor((x * values.length) / columns);
    const to = Math.floor(((x + 1) * values.length) / columns);
    let [low, high] = [1, -1];
    for (let i = from; i < to; i++) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
    const at = ((x * COLUMNS) / columns).toFixed(1);
    // Silence stays a line that is seen.
    above.push(`${at} ${(49.5 - 48 * high).toFixed(1)}`);
    below.unshift(`${at} ${(50.5 - 48 * low).toFixed(1)}`);
  }
  return `M${[...above, ...below].join("L")}Z`;
}
