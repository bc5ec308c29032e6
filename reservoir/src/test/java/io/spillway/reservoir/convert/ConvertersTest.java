package io.spillway.reservoir.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.Seeds;
import io.spillway.reservoir.events.EventFiles;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.Sensor;
import io.spillway.testkit.TestData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Converters against hand calculation, tones and a genuine recording.
final class ConvertersTest {
  @Test
  void hankelFunctionHasItsTabulatedValues() {
    // J0 and Y0 at 1 and 20 from Abramowitz and Stegun, tables 9.1
    Complex one = new Complex(1, 0).hankel();
    assertThat(one.re()).isCloseTo(.7651976866, within(1e-9));
    assertThat(one.im()).isCloseTo(.0882569642, within(1e-9));
    Complex twenty = new Complex(20, 0).hankel();
    assertThat(twenty.re()).isCloseTo(.1670246643, within(1e-7));
    assertThat(twenty.im()).isCloseTo(.0626405968, within(1e-7));
  }

  @Test
  void bothSeriesOfTheHankelFunctionMeet() {
    for (double im : new double[] {0, .5, 2}) {
      Complex near = new Complex(11.9999, im).hankel();
      Complex far = new Complex(12.0001, im).hankel();
      assertThat(near.minus(far).abs() / far.abs()).isLessThan(1e-3);
    }
  }

  @Test
  void fourierTransformIsItsOwnInverse() {
    double[] re = {1, 2, 3, 4, 0, 0, -1, 5};
    double[] im = new double[8];
    Fourier.transform(re, im, false);
    assertThat(re[0]).isCloseTo(14, within(1e-12));
    Fourier.transform(re, im, true);
    assertThat(re[3] / 8).isCloseTo(4, within(1e-12));
  }

  @Test
  void saccadesEndNearTheirStart() {
    assertThat(Saccades.dx(306)).isCloseTo(.85, within(1e-9));
    assertThat(Saccades.dy(306)).isCloseTo(1.05, within(1e-9));
    assertThat(Saccades.dy(100)).isCloseTo(6.55, within(1e-9));
  }

  @Test
  void aPixelFiresOnceForEachThresholdItsSignalCrosses() {
    PixelModel model =
        new PixelModel(new PixelModel.Response.Logarithmic(.5), .1, .1, 0, 1e6, 0, 0, 1);
    EventPixels pixels = new EventPixels(model, 1, 1, new Seeds(1).stream("pixel"));
    pixels.show(new float[] {.5f}, 0);
    pixels.show(new float[] {1}, 1000); // ln 1.5 - ln 1 = .405: four steps of .1
    pixels.show(new float[] {.5f}, 2000);
    EventRecording events = pixels.recording();
    int on = 0;
    for (int i = 0; i < events.size(); i++) {
      on += events.polarity(i);
    }
    assertThat(on).isEqualTo(4);
    assertThat(events.size() - on).isEqualTo(4);
    assertThat(events.timeUs(0)).isBetween(200L, 300L);
  }

  /// The cascade lets a low tone through to the low channels and holds a high one back.
  @Test
  void lowChannelsHearLowTonesOnly() {
    Cochlea ear = Cochlea.NTIDIGITS;
    double[] frequencies = ear.frequencies(8000);
    int[] low = Cochlea.perChannel(ear.listen(tone(300)));
    int[] high = Cochlea.perChannel(ear.listen(tone(2000)));
    long lowInLow = 0;
    long highInLow = 0;
    for (int k = 0; k < low.length; k++) {
      if (frequencies[k] < 600) {
        lowInLow += low[k];
        highInLow += high[k];
      }
    }
    assertThat(lowInLow).isGreaterThan(3 * highInLow);
    assertThat(frequencies[0]).isCloseTo(3400, within(1.0));
    assertThat(frequencies[63]).isCloseTo(100, within(1.0));
  }

  private static Wav tone(double hertz) {
    float[] sound = new float[4000];
    for (int i = 0; i < sound.length; i++) {
      sound[i] = (float) (.3 * Math.sin(2 * Math.PI * hertz * i / 8000));
    }
    return new Wav(8000, sound);
  }

  @Test
  void lauscherSpikesInOrderOnItsChannels() {
    Wav wav = HummedDigits.speak(3, new Seeds(1).stream("voice"));
    EventRecording spikes = new Lauscher(50, 40).listen(wav, new Seeds(1).stream("ear"));
    assertThat(spikes.sensor()).isEqualTo(new Sensor(50, 1, 1));
    assertThat(spikes.size()).isBetween(50, 20_000);
    assertThat(spikes.durationUs()).isLessThan(2_000_000);
  }

  @Test
  void emulatedRecordingIsLikeTheGenuineOne() {
    Path images = TestData.require("mnist/train-images-idx3-ubyte.gz");
    Path genuine = TestData.require("events/tonic-sample-nmnist.bin");
    EventRecording real = EventFiles.read(genuine, Optional.of(Sensor.NMNIST));
    Idx.Images read = Idx.images(images);
    // the sample does not name its image: the likest of the first 300 stands for its kind
    double best = 0;
    for (int i = 0; i < 300; i++) {
      EventRecording made =
          Saccades.record(read.image(i), PixelModel.NMNIST, new Seeds(i).stream("s"));
      best = Math.max(best, Likeness.of(made, real).temporal());
    }
    assertThat(best).isGreaterThan(.9);
  }

  @Test
  void refusesSoundInAnotherFormat() {
    Path name = Path.of("a.wav");
    assertThatThrownBy(() -> Wav.parse(name, wav(1, 2, 16, 8000, 100)))
        .hasMessageContaining("2 channels")
        .hasMessageContaining("ffmpeg");
    assertThatThrownBy(() -> Wav.parse(name, wav(3, 1, 32, 8000, 100)))
        .hasMessageContaining("format 3");
    assertThatThrownBy(() -> Wav.parse(name, wav(1, 1, 16, 8000, 0)))
        .hasMessageContaining("no samples");
    byte[] cut = java.util.Arrays.copyOf(wav(1, 1, 16, 8000, 100), 100);
    assertThatThrownBy(() -> Wav.parse(name, cut)).hasMessageContaining("a.wav:byte 100");
    assertThatThrownBy(() -> Wav.parse(name, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}))
        .hasMessageContaining("no RIFF");
    assertThat(Wav.parse(name, wav(1, 1, 16, 8000, 100)).samples()).hasSize(100);
    assertThatThrownBy(() -> Cochlea.NTIDIGITS.listen(Wav.parse(name, wav(1, 1, 16, 8000, 100))))
        .hasMessageContaining("silent");
  }

  private static byte[] wav(int format, int channels, int bits, int rate, int samples) {
    ByteBuffer b = ByteBuffer.allocate(44 + samples * 2).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(0x46464952).putInt(36 + samples * 2).putInt(0x45564157);
    b.putInt(0x20746D66).putInt(16).putShort((short) format).putShort((short) channels);
    b.putInt(rate).putInt(rate * 2).putShort((short) 2).putShort((short) bits);
    b.putInt(0x61746164).putInt(samples * 2);
    return b.array();
  }
}
