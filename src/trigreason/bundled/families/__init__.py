"""The families of BIG-Bench Hard that a program solves step by step, by their published names."""

from trigreason.bundled.families import (
    arithmetic,
    boolean,
    dyck,
    navigate,
    object_counting,
    tracking,
    web_of_lies,
)
from trigreason.bundled.families.chains import Family

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        tracking.family("tracking_shuffled_objects_three_objects"),
        tracking.family("tracking_shuffled_objects_five_objects"),
        tracking.family("tracking_shuffled_objects_seven_objects"),
        boolean.FAMILY,
        web_of_lies.FAMILY,
        navigate.FAMILY,
        object_counting.FAMILY,
        dyck.FAMILY,
        arithmetic.FAMILY,
    )
}
