package io.spillway.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CheckpointsTest {
  @TempDir Path folder;

  private static TrainState state(long step) {
    return new TrainState(TrainState.FORMAT, step, step, 0, 1, 0, 0, 10, 1, List.of());
  }

  private Path save(Checkpoints checkpoints, long step, int ranks) {
    try (Arena arena = Arena.ofShared()) {
      Path part = checkpoints.begin(step, 1000);
      for (int rank = 0; rank < ranks; rank++) {
        long from = 10L * rank / ranks;
        long to = 10L * (rank + 1) / ranks;
        Shard shard = CheckpointWriter.shard(arena, from, to);
        for (long i = from; i < to; i++) {
          shard.master().set(ValueLayout.JAVA_FLOAT, 4 * (i - from), step * 100 + i);
        }
        Checkpoints.writeShard(part, rank, ranks, shard);
      }
      return checkpoints.finish(part, state(step), ranks);
    }
  }

  @Test
  void keepsTheLastAndReadsShardsOfAnyNumberOfRanks() {
    Checkpoints checkpoints = new Checkpoints(folder, 2);
    for (int step = 1; step <= 4; step++) {
      save(checkpoints, step, step);
    }
    assertThat(checkpoints.all())
        .containsExactly(folder.resolve("checkpoint-3"), folder.resolve("checkpoint-4"));
    for (Path checkpoint : checkpoints.all()) {
      TrainState state = Checkpoints.read(checkpoint);
      for (int readers = 1; readers <= 3; readers++) {
        for (int rank = 0; rank < readers; rank++) {
          try (Arena arena = Arena.ofShared()) {
            Shard part =
                CheckpointWriter.shard(arena, 10L * rank / readers, 10L * (rank + 1) / readers);
            Checkpoints.readShards(checkpoint, state, part);
            for (long i = part.from(); i < part.to(); i++) {
              assertThat(part.master().get(ValueLayout.JAVA_FLOAT, 4 * (i - part.from())))
                  .isEqualTo(state.step() * 100 + i);
            }
          }
        }
      }
    }
  }

  @Test
  void aFullDiskIsToldBeforeTheOldCheckpointIsTouched() {
    Checkpoints checkpoints = new Checkpoints(folder, 1);
    save(checkpoints, 1, 1);
    assertThatThrownBy(() -> checkpoints.begin(2, Long.MAX_VALUE / 4))
        .isInstanceOfSatisfying(
            SpillwayException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DOES_NOT_FIT))
        .hasMessageContaining("the last checkpoint is untouched");
    assertThat(Checkpoints.read(checkpoints.latest().orElseThrow()).step()).isEqualTo(1);
  }

  @Test
  void damageForeignFoldersAndMissingFilesAreNamed() throws IOException {
    Checkpoints checkpoints = new Checkpoints(folder, 5);
    Path checkpoint = save(checkpoints, 1, 2);
    Path shard = checkpoint.resolve("optimizer-00002-of-00002.safetensors");
    byte[] bytes = Files.readAllBytes(shard);
    bytes[bytes.length - 1] ^= 1;
    Files.write(shard, bytes);
    assertThatThrownBy(() -> Checkpoints.read(checkpoint))
        .hasMessageContaining("optimizer-00002-of-00002")
        .hasMessageContaining("checksum");
    Files.delete(shard);
    assertThatThrownBy(() -> Checkpoints.read(checkpoint)).hasMessageContaining("missing");
    assertThatThrownBy(() -> Checkpoints.read(folder)).hasMessageContaining("no checkpoint");
    Files.writeString(checkpoint.resolve("state.json"), "{\"format\": 1}");
    assertThatThrownBy(() -> Checkpoints.read(checkpoint)).isInstanceOf(SpillwayException.class);
  }

  @Test
  void whatABrokenWriteLeftIsNoCheckpointAndIsRemoved() throws IOException {
    Checkpoints checkpoints = new Checkpoints(folder, 2);
    Path left = checkpoints.begin(7, 10);
    Files.writeString(left.resolve("half"), "x");
    assertThat(checkpoints.latest()).isEmpty();
    save(checkpoints, 8, 1);
    assertThat(left).doesNotExist();
    assertThat(checkpoints.all()).hasSize(1);
  }

  @Test
  void checkpointsOfOtherProgramsAreToldApart() throws Exception {
    Checkpoints all = new Checkpoints(folder, 2);
    Path hugging = Files.createDirectory(folder.resolve("checkpoint-3"));
    Files.writeString(hugging.resolve("trainer_state.json"), "{\"global_step\": 3}");
    assertThat(all.foreign()).containsExactly(hugging);
    assertThat(all.latest()).isEmpty();
    // what a removal that was killed leaves is not foreign
    Path left = Files.createDirectory(folder.resolve("checkpoint-4"));
    Files.createFile(left.resolve("model.safetensors"));
    assertThat(all.foreign()).containsExactly(hugging);
    Files.writeString(hugging.resolve("state.json"), "{\"step\": 3}");
    assertThatThrownBy(() -> Checkpoints.read(hugging))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("no state of a Spillway checkpoint")
        .hasMessageContaining("format 0");
  }
}
