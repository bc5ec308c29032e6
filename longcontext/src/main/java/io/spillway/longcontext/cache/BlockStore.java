package io.spillway.longcontext.cache;

import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// A second memory for the blocks of a sequence that the device does not hold. Blocks never change.
sealed interface BlockStore extends AutoCloseable {
  /// Keeps a contiguous tensor of the host and returns its number.
  int add(Tensor block);

  /// Block `number` on the host, of the shape it had; the caller's scope owns it.
  Tensor get(int number);

  /// Bytes kept.
  long bytes();

  @Override
  void close();

  /// The second memory beside a device: the host's memory for a GPU, a file for the CPU.
  static BlockStore beside(boolean gpu) {
    return gpu ? new Host() : new OnDisk();
  }

  /// In the host's memory.
  final class Host implements BlockStore {
    private final TensorHolder holder = new TensorHolder();
    private final List<Tensor> blocks = new ArrayList<>();
    private long bytes;

    @Override
    public int add(Tensor block) {
      blocks.add(holder.hold(block.clone()));
      bytes += block.numel() * block.element_size();
      return blocks.size() - 1;
    }

    @Override
    public Tensor get(int number) {
      return blocks.get(number).clone();
    }

    @Override
    public long bytes() {
      return bytes;
    }

    @Override
    public void close() {
      holder.close();
      blocks.clear();
    }
  }

  /// In a temporary file that has no name any more once it is open, so that nothing stays behind.
  final class OnDisk implements BlockStore {
    private record Place(long at, DType type, long[] shape) {}

    private final FileChannel file;
    private final List<Place> places = new ArrayList<>();
    private long end;

    OnDisk() {
      try {
        Path path = Files.createTempFile("spillway-blocks", ".bin");
        file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        Files.delete(path);
      } catch (IOException e) {
        throw SpillwayException.notAvailable(
            "cannot make a temporary file for offloaded blocks (%s); set -Djava.io.tmpdir to a folder"
                + " that can be written",
            String.valueOf(e.getMessage()));
      }
    }

    @Override
    public int add(Tensor block) {
      ByteBuffer bytes = Tensors.segment(block).asByteBuffer();
      long at = end;
      try {
        while (bytes.hasRemaining()) {
          end += file.write(bytes, end);
        }
      } catch (IOException e) {
        end = at;
        throw SpillwayException.doesNotFit(
            "offloaded blocks of %d bytes do not fit into the temporary folder: %s; set"
                + " -Djava.io.tmpdir to a larger one or use the policy locret",
            at, String.valueOf(e.getMessage()));
      }
      places.add(new Place(at, Tensors.dtype(block), Tensors.shape(block)));
      return places.size() - 1;
    }

    @Override
    public Tensor get(int number) {
      Place place = places.get(number);
      Tensor block = Tensors.empty(place.type(), place.shape());
      ByteBuffer bytes = Tensors.segment(block).asByteBuffer();
      long at = place.at();
      try {
        while (bytes.hasRemaining()) {
          int read = file.read(bytes, at);
          if (read < 0) {
            throw new IOException("the file ends at " + at);
          }
          at += read;
        }
      } catch (IOException e) {
        throw SpillwayException.notAvailable(
            "cannot read an offloaded block back: %s", String.valueOf(e.getMessage()));
      }
      return block;
    }

    @Override
    public long bytes() {
      return end;
    }

    @Override
    public void close() {
      try {
        file.close();
      } catch (IOException e) {
        throw SpillwayException.notAvailable(
            "cannot close the file of offloaded blocks: %s", String.valueOf(e.getMessage()));
      }
    }
  }

  /// Copies a block of another store.
  default int copy(BlockStore other, int number) {
    try (TensorScope scope = TensorScope.open()) {
      return add(other.get(number));
    }
  }
}
