package io.spillway.platform.units;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import org.junit.jupiter.api.Test;

final class UnitsTest {
  @Test
  void binaryAndDecimalPrefixesAreKeptApart() {
    assertThat(Bytes.parse("80 GiB").bytes()).isEqualTo(80L << 30);
    assertThat(Bytes.parse("80GB").bytes()).isEqualTo(80_000_000_000L);
    assertThat(BytesPerSecond.parse("100 Gbit/s").bytesPerSecond()).isEqualTo(12.5e9);
    assertThat(Hertz.parse("4 GHz").hertz()).isEqualTo(4e9);
    assertThat(FlopsPerSecond.parse("312 TFLOP/s").flopsPerSecond()).isEqualTo(312e12);
    assertThat(Seconds.parse("5 us").seconds()).isEqualTo(5e-6);
  }

  @Test
  void showsThreeDigitsWithTheFittingPrefix() {
    assertThat(new Bytes(80L << 30)).hasToString("80 GiB");
    assertThat(new Bytes(0)).hasToString("0 B");
    assertThat(new Bytes(1_500_000)).hasToString("1.43 MiB");
    assertThat(new BytesPerSecond(19.635e9)).hasToString("19.6 GB/s");
    assertThat(new BytesPerSecond(999.9e9)).hasToString("1 TB/s");
    assertThat(new Hertz(100e9)).hasToString("100 GHz");
    assertThat(new Seconds(0.01234)).hasToString("12.3 ms");
    assertThat(new Seconds(185)).hasToString("3 min 05 s");
  }

  @Test
  void anUnknownUnitOrANegativeAmountSaysWhatIsAllowed() {
    assertThatThrownBy(() -> Bytes.parse("80 gb"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("80 gb")
        .hasMessageContaining("GiB");
    assertThatThrownBy(() -> BytesPerSecond.parse("-1 GB/s")).isInstanceOf(SpillwayException.class);
    assertThatThrownBy(() -> Hertz.parse("1e999 GHz")).isInstanceOf(SpillwayException.class);
  }
}
