package io.spillway.reservoir.events;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.Seeds;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.convert.PixelModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Origins tell recordings apart by what they are made of, not by when.
final class RecordingOriginTest {
  @TempDir private Path folder;

  @Test
  void filesAreToldByTheirContents() throws Exception {
    Path set = Files.createDirectories(folder.resolve("set/7"));
    Path a = Files.write(set.resolve("a.bin"), new byte[] {1, 2, 0, 0, 9});
    Files.write(set.resolve("b.bin"), new byte[] {1, 2, 0, 0, 9});
    List<Optional<String>> before = origins(RecordingSet.open(folder.resolve("set")));
    assertThat(before).hasSize(2).doesNotContain(Optional.empty()).doesNotHaveDuplicates();
    Files.write(a, new byte[] {1, 2, 0, 0, 9});
    assertThat(origins(RecordingSet.open(folder.resolve("set")))).isEqualTo(before);
    Files.write(a, new byte[] {1, 3, 0, 0, 9});
    RecordingSet changed = RecordingSet.open(folder.resolve("set"));
    assertThat(changed.origin(0)).isNotEqualTo(before.get(0));
    assertThat(changed.origin(1)).isEqualTo(before.get(1));
    assertThat(changed.select(new int[] {1}).origin(0)).isEqualTo(before.get(1));
  }

  @Test
  void imagesAreToldByFilePlaceModelAndSeed() throws Exception {
    Path images = images("images", 3);
    Path labels =
        Files.write(
            folder.resolve("labels"),
            ByteBuffer.allocate(10).putInt(0x801).putInt(2).put(new byte[] {4, 5}).array());
    List<Optional<String>> one = emulated(images, labels, PixelModel.NMNIST, 1);
    assertThat(one).doesNotContain(Optional.empty()).doesNotHaveDuplicates();
    assertThat(emulated(images, labels, PixelModel.NMNIST, 1)).isEqualTo(one);
    assertThat(emulated(images, labels, PixelModel.NMNIST, 2)).doesNotContainAnyElementsOf(one);
    assertThat(emulated(images, labels, PixelModel.V2E, 1)).doesNotContainAnyElementsOf(one);
    assertThat(emulated(images("other", 4), labels, PixelModel.NMNIST, 1))
        .doesNotContainAnyElementsOf(one);
  }

  @Test
  void soundsAreToldByFileAndEar() throws Exception {
    Path take = Files.write(folder.resolve("7_jackson_0.wav"), new byte[] {1});
    Optional<String> before = ConvertedSets.sounds(folder, Cochlea.NTIDIGITS).origin(0);
    assertThat(before).isPresent();
    Cochlea louder = new Cochlea(64, 100, .1, 400, .02, .002);
    assertThat(ConvertedSets.sounds(folder, louder).origin(0)).isPresent().isNotEqualTo(before);
    Files.write(take, new byte[] {2});
    assertThat(ConvertedSets.sounds(folder, Cochlea.NTIDIGITS).origin(0)).isNotEqualTo(before);
    // an ear that does not tell how it hears
    RecordingSet unknown = ConvertedSets.sounds(folder, (wav, _) -> Cochlea.NTIDIGITS.listen(wav));
    assertThat(unknown.origin(0)).isEmpty();
  }

  private Path images(String name, int grey) throws IOException {
    ByteBuffer idx = ByteBuffer.allocate(16 + 2 * 28 * 28);
    idx.putInt(0x803).putInt(2).putInt(28).putInt(28).put((byte) grey);
    return Files.write(folder.resolve(name), idx.array());
  }

  private static List<Optional<String>> emulated(
      Path images, Path labels, PixelModel model, long seed) {
    return origins(ConvertedSets.images(images, labels, model, false, new Seeds(seed)));
  }

  private static List<Optional<String>> origins(RecordingSet set) {
    return IntStream.range(0, set.size()).mapToObj(set::origin).toList();
  }
}
