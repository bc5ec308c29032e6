package io.spillway.simulator.machine;

/// An access to an address that is not mapped or does not permit it. Carries no stack trace, for
/// programs may handle faults themselves.
public final class MemoryFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final long address;
  private final Access access;

  /// What was tried.
  public enum Access {
    READ,
    WRITE,
    FETCH
  }

  MemoryFault(long address, Access access) {
    super(null, null, false, false);
    this.address = address;
    this.access = access;
  }

  public long address() {
    return address;
  }

  public Access access() {
    return access;
  }

  @Override
  public String getMessage() {
    return access.name().toLowerCase(java.util.Locale.ROOT)
        + " of unmapped, protected or misaligned address 0x"
        + Long.toHexString(address);
  }
}
