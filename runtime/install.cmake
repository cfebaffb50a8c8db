# What libchi installs: headers, both libraries, libchi.pc and the CMake
# package.  Included by CMakeLists.txt, after chi_runtime and
# chi_runtime_static.  Everything is found relative to where it lies, so an
# installed tree can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(chi_package ${CMAKE_INSTALL_LIBDIR}/cmake/chi)

set_target_properties(chi_runtime PROPERTIES EXPORT_NAME chi)
set_target_properties(chi_runtime_static PROPERTIES EXPORT_NAME chi_static)

install(TARGETS chi_runtime EXPORT chi-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS chi_runtime_static EXPORT chi-static-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES
  ${CMAKE_CURRENT_LIST_DIR}/include/chi.h
  ${CMAKE_CURRENT_LIST_DIR}/include/chi_fe.h
  ${CMAKE_CURRENT_LIST_DIR}/include/chi_gen.h
  ${CMAKE_CURRENT_LIST_DIR}/include/chi_transport.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT chi-targets NAMESPACE chi:: DESTINATION ${chi_package})
install(EXPORT chi-static-targets NAMESPACE chi:: DESTINATION ${chi_package})

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/cmake/chi-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/chi-config.cmake
  INSTALL_DESTINATION ${chi_package})
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/chi-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/chi-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/chi-config-version.cmake
  DESTINATION ${chi_package})

# lib/pkgconfig -> ../.., lib/x86_64-linux-gnu/pkgconfig -> ../../..
string(REGEX REPLACE "[^/]+" ".." chi_pc_up
  ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_file(${CMAKE_CURRENT_LIST_DIR}/cmake/libchi.pc.in
  ${CMAKE_CURRENT_BINARY_DIR}/libchi.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libchi.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
