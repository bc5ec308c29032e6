package io.spillway.simulator.timing;

/// The release times of the entries of a full or partly full queue, earliest first.
final class ReleaseHeap {
  private final long[] heap;
  private final int capacity;
  private int size;

  ReleaseHeap(int capacity) {
    this.capacity = capacity;
    this.heap = new long[capacity + 1];
  }

  /// The first cycle from `cycle` on at which an entry is free.
  long room(long cycle) {
    while (size > 0 && heap[1] <= cycle) {
      pop();
    }
    if (size == capacity) {
      cycle = heap[1];
      pop();
    }
    return cycle;
  }

  /// Holds an entry until `release`.
  void add(long release) {
    int i = ++size;
    while (i > 1 && heap[i >> 1] > release) {
      heap[i] = heap[i >> 1];
      i >>= 1;
    }
    heap[i] = release;
  }

  private void pop() {
    long last = heap[size--];
    int i = 1;
    while (true) {
      int child = i << 1;
      if (child > size) {
        break;
      }
      if (child < size && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= last) {
        break;
      }
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
  }
}
